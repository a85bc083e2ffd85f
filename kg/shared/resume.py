"""State of a long job that survives its being killed, and nothing else.

Snakemake deletes a rule's outputs before each attempt, so checkpoints lie in a folder it does not
know of. The folder is bound to what is made: another configuration or other inputs start
afresh, and success removes it, so that a forced rerun is a real one.
"""

import fcntl
import hashlib
import json
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kg.shared import processes
from kg.shared.errors import NO_LOCKS, InputError

__all__ = ["resumable"]

log = logging.getLogger(__name__)


@contextmanager
def resumable(path: Path, identity: dict[str, Any]) -> Iterator[Path]:
    """The folder for the state of the training, or other job, that `identity` (JSON) describes.

    State of another identity is removed at once, that of this one after success. Raises InputError
    while another process uses the folder (two writers would spoil it), and for one with files that
    are no state. Of several processes that
    train together (torchrun) the first alone prepares and removes the folder. Where `path` is a
    symbolic link, all that is of the folder it points to.
    """
    path = path.resolve()
    if not processes.is_first():
        yield path
        return
    fingerprint = hashlib.sha256(json.dumps(identity, sort_keys=True, default=str).encode())
    path.mkdir(parents=True, exist_ok=True)
    with _locked(path):
        mark = path / "fingerprint"
        if mark.is_file() and mark.read_text() == fingerprint.hexdigest():
            log.info("continuing from the state in %s", path)
        else:
            if not mark.is_file() and any(path.iterdir()):
                raise InputError(
                    f"{path} holds files of no such state, which would be lost; name another "
                    "folder for the state"
                )
            shutil.rmtree(path)
            path.mkdir()
            mark.write_text(fingerprint.hexdigest())
        yield path
        shutil.rmtree(path)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """A lock beside `path`, which goes with success while it is still held."""
    beside = path.with_name(path.name + ".lock")
    with beside.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Another job may have ended, and removed the file, after this one opened it.
            free = os.path.samestat(beside.stat(), os.fstat(lock.fileno()))
        except (BlockingIOError, FileNotFoundError):
            free = False
        except OSError as error:
            if error.errno not in NO_LOCKS:
                raise
            raise InputError(
                f"{beside} cannot be locked: its file system has no locks ({error}); put the state "
                "on one that has (--state; the workflow: --directory)"
            ) from error
        if not free:
            raise InputError(f"{path} is used by another running job; wait for it or cancel it")
        yield
        beside.unlink()
