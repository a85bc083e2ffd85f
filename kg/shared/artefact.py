"""Files that are whole or not there: atomic replacement, JSON, digests."""

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kg.shared.errors import InputError
from kg.shared.lines import read_text

__all__ = ["check_space", "file_digest", "read_json", "replacing", "told_when_full", "write_json"]

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
"""No space, no quota, or a file larger than the limit."""

RESERVE = 2**20
"""Bytes; where fewer are free, a write that failed without a reason is one on a full disk."""


@contextmanager
def replacing(path: Path, size: int = 0) -> Iterator[Path]:
    """A temporary path (file or folder, the caller creates it) that becomes `path` on success.

    It lies beside `path`, so that the final rename stays in one file system and is atomic for a
    file. A symbolic link stays, and what it points to is replaced. Modes are those that the umask
    gives, whatever the writing library does. On any exception the temporary is removed and `path`
    is left as it was. Raises InputError where fewer than `size` bytes are free, or the disk is full
    before the end.
    """
    path = path.resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    _remove(temporary)
    readable = _umask_mode(temporary)
    try:
        with told_when_full(temporary, size):
            yield temporary
        _share(temporary, readable)
        if path.is_dir():
            shutil.rmtree(path)
        temporary.replace(path)
    finally:
        _remove(temporary)


@contextmanager
def told_when_full(path: Path, size: int = 0) -> Iterator[None]:
    """Raise InputError where `path`, being written by any library, does not fit on its disk."""
    check_space(path, size)
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        if _is_full(path, error):
            least = max(size, _size(path))
            raise InputError(
                f"{path}: the disk is full, or the quota used up ({error!s:.200}); {least:,} bytes "
                "or more have to be free: make room, or name another folder"
            ) from error
        raise


def check_space(path: Path, size: int) -> None:
    """Raise InputError where fewer than `size` bytes are free in the folder of `path`."""
    free = shutil.disk_usage(path.parent).free
    if free < size:
        raise InputError(
            f"{path} needs {size:,} bytes, and {free:,} are free on its disk; make room, or name "
            "another folder"
        )


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON; refuses NaN and infinity, which JSON does not have."""
    with replacing(path) as temporary:
        text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False, default=str)
        temporary.write_text(text + "\n", encoding="utf-8")


def read_json(path: Path, next_step: str = "make it again") -> Any:
    """Read a JSON file; InputError, with `next_step`, where it is missing, no UTF-8 or no JSON."""
    text = read_text(path, next_step)
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(f"{path} is not JSON ({error}); is it truncated? {next_step}") from error


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _umask_mode(path: Path) -> int:
    """Mode of a new file; looked at, as asking for the umask would change it for other threads."""
    path.touch()
    mode = path.stat().st_mode & 0o777
    path.unlink()
    return mode


def _share(path: Path, mode: int) -> None:
    """Give a file, or those of a folder, the mode of a new file beside what they have."""
    for file in path.rglob("*") if path.is_dir() else [path]:
        if file.is_file():
            file.chmod(file.stat().st_mode & 0o777 | mode)


def _is_full(path: Path, error: Exception) -> bool:
    # Rust's libraries have a reason, but no number; some remove what they wrote themselves.
    told = getattr(error, "errno", None) in FULL or any(
        os.strerror(number) in str(error) for number in FULL
    )
    return told or shutil.disk_usage(path.parent).free < RESERVE


def _size(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
