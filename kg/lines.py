"""Text files line by line, as every reader of a source's plain files needs them."""

from collections.abc import Iterator
from pathlib import Path

from kg.errors import InputError

__all__ = ["numbered_lines"]


def numbered_lines(path: Path, next_step: str) -> Iterator[tuple[int, str]]:
    """Lines that are not empty, with their numbers; only "\\n" ends a line, "\\r" before it goes.

    Raises InputError, with `next_step`, for a file that is missing or not UTF-8.
    """
    if not path.is_file():
        raise InputError(f"{path} does not exist; {next_step}")
    number = 0
    try:
        # With a byte-order mark or without.
        with path.open(encoding="utf-8-sig", newline="\n") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield number, line.rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path} is not UTF-8 after line {number} ({error.reason}); copy it again"
        ) from error
