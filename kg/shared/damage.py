"""Files that are not what their names say: missing, empty, cut short, or a pointer to the file."""

import json
import zipfile
from functools import cache
from pathlib import Path

from safetensors import SafetensorError, safe_open

from kg.shared.errors import InputError

__all__ = ["check_file"]

LFS = b"version https://git-lfs.github.com/spec/"
"""How the text begins that Git keeps in the place of a large file."""


def check_file(path: Path, next_step: str) -> None:
    """Raise InputError, with `next_step`, for a file that is missing, empty, cut or a pointer.

    Looks at the form of what tells it at little cost: .safetensors, .json, .gguf and, by its
    checksums, torch's .pt and .pth. A file that may not be read is a PermissionError.
    """
    if not path.is_file():
        raise InputError(f"{path} does not exist; {next_step}")
    with path.open("rb") as file:
        head = file.read(len(LFS))
    if head == LFS:
        raise InputError(
            f"{path} is the pointer of Git LFS and not the file itself; run `git lfs pull` in "
            f"{path.parent}, or {next_step}"
        )
    if not head:
        raise InputError(f"{path} is empty; {next_step}")
    status = path.stat()
    try:
        _check_form(path, head, status.st_size, status.st_mtime_ns)
    except (SafetensorError, zipfile.BadZipFile, ValueError, OSError) as error:
        raise InputError(f"{path} is cut short or damaged ({error}); {next_step}") from error


@cache
def _check_form(path: Path, head: bytes, size: int, changed: int) -> None:
    """Once for a file as it is: `size` and `changed` (ns) tell it from what it was."""
    if path.suffix == ".safetensors":
        with safe_open(path, "np"):
            pass
    elif path.suffix == ".json":
        json.loads(path.read_bytes())
    elif path.suffix == ".gguf" and not head.startswith(b"GGUF"):
        raise ValueError(f"it begins with {head[:4]!r}, not GGUF")
    elif path.suffix in (".pt", ".pth"):
        with zipfile.ZipFile(path) as archive:
            if broken := archive.testzip():
                raise ValueError(f"{broken} in it has another checksum")
