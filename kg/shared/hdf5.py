"""HDF5 files are opened here alone, so that what keeps one from being opened is said."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import h5py

from kg.shared.damage import check_file
from kg.shared.errors import NO_LOCKS, InputError

__all__ = ["open_hdf5"]


@contextmanager
def open_hdf5(path: Path, mode: Literal["r", "w"], next_step: str) -> Iterator[h5py.File]:
    """The open file.

    Raises InputError where it has to be read and is not there or not whole (with `next_step`), is
    locked by another process, or cannot be locked.
    """
    if mode == "r":
        check_file(path, next_step)
    try:
        file = h5py.File(path, mode)
    except PermissionError as error:
        raise PermissionError(error.errno, error.strerror, str(path)) from error
    except OSError as error:
        raise _explained(error, path, mode, next_step) from error
    with file:
        yield file


def _explained(error: OSError, path: Path, mode: str, next_step: str) -> Exception:
    if error.errno in NO_LOCKS:
        return InputError(
            f"{path} cannot be locked: its file system has no locks ({error}); "
            "`export HDF5_USE_FILE_LOCKING=FALSE` and start again: no lock is needed, as files are "
            "written under another name first"
        )
    if error.errno == errno.EAGAIN:
        return InputError(f"{path} is locked by another process; wait for it or end it")
    if mode == "w":
        return error
    return InputError(f"{path} is not a whole HDF5 file ({error}); {next_step}")
