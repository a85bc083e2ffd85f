"""Files that are whole or not there: atomic replacement, JSON, digests."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

__all__ = ["file_digest", "read_json", "replacing", "write_json"]


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path (file or folder, the caller creates it) that becomes `path` on success.

    It lies beside `path`, so that the final rename stays in one file system and is atomic for a
    file. On any exception the temporary is removed and `path` is left as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    _remove(temporary)
    try:
        yield temporary
        if path.is_dir():
            shutil.rmtree(path)
        temporary.replace(path)
    finally:
        _remove(temporary)


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON; refuses NaN and infinity, which JSON does not have."""
    with replacing(path) as temporary:
        text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False, default=str)
        temporary.write_text(text + "\n", encoding="utf-8")


def read_json(path: Path) -> Any:
    """Read a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
