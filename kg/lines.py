"""Text files line by line, as every reader of a source's plain files and tables needs them."""

import codecs
from collections.abc import Container, Iterator
from pathlib import Path

from kg.errors import InputError

__all__ = ["numbered_lines", "table_rows"]


def numbered_lines(path: Path, next_step: str) -> Iterator[tuple[int, str]]:
    """Lines that are not empty, with their numbers, and without what ends them.

    Only "\\n" ends a line, "\\r" before it goes. Raises InputError, with `next_step`, for a file
    that is missing or not UTF-8.
    """
    for number, line in _lines(path, next_step):
        yield number, line.rstrip("\r\n")


def table_rows(
    path: Path, columns: str, widths: Container[int], next_step: str, comment: str | None = None
) -> Iterator[tuple[int, list[str]]]:
    """The fields of each line of a table with a TAB between columns, with the line's number.

    All lines have as many fields as the first, one of `widths`; `columns` says what they are.
    Lines that start with `comment` are passed over. Raises InputError, with `next_step`, for a line
    of another width and for a last line without an end: the file may have been cut off inside it.
    """
    width = None
    for number, line in _lines(path, next_step):
        if comment is not None and line.startswith(comment):
            continue
        fields = line.rstrip("\r\n").split("\t")
        width = width or len(fields)
        if len(fields) != width or width not in widths:
            raise InputError(
                f"{path} line {number} has {len(fields)} columns with TABs between, expected "
                f"{columns}: {line[:200]!r}; is the file truncated? {next_step}"
            )
        if not line.endswith("\n"):
            raise InputError(
                f"{path} line {number}, the last one, has no line end: {line[-80:]!r}; is the file "
                f"truncated? {next_step}, or end the line if it is whole"
            )
        yield number, fields


def _lines(path: Path, next_step: str) -> Iterator[tuple[int, str]]:
    """Lines that are not empty, with what ends them; a byte-order mark is no part of the first."""
    if not path.is_file():
        raise InputError(f"{path} does not exist; {next_step}")
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                text = line.removeprefix(codecs.BOM_UTF8 if number == 1 else b"").decode()
            except UnicodeDecodeError as error:
                raise InputError(
                    f"{path} line {number} is not UTF-8 ({error.reason}); copy it again"
                ) from error
            if text.strip(" \r\n"):
                yield number, text
