"""Training state that survives a killed job, and only a killed job.

Snakemake deletes a rule's outputs before each attempt, so checkpoints lie in a folder it does not
know of. The folder is bound to what is trained: another configuration or other inputs start
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

from kg.errors import InputError

__all__ = ["is_first", "resumable"]

log = logging.getLogger(__name__)


@contextmanager
def resumable(path: Path, identity: dict[str, Any]) -> Iterator[Path]:
    """The folder for checkpoints of the training that `identity` (JSON) describes.

    State of another identity is removed at once, that of this one after success. Raises InputError
    while another process uses the folder: two writers would spoil it. Of several processes that
    train together (torchrun) the first alone prepares and removes the folder.
    """
    if not is_first():
        yield path
        return
    fingerprint = hashlib.sha256(json.dumps(identity, sort_keys=True, default=str).encode())
    path.mkdir(parents=True, exist_ok=True)
    with path.with_name(path.name + ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InputError(
                f"{path} is used by another running job; wait for it or cancel it"
            ) from error
        mark = path / "fingerprint"
        if mark.is_file() and mark.read_text() == fingerprint.hexdigest():
            log.info("continuing from the state in %s", path)
        else:
            shutil.rmtree(path)
            path.mkdir()
            mark.write_text(fingerprint.hexdigest())
        yield path
        shutil.rmtree(path)
    path.with_name(path.name + ".lock").unlink(missing_ok=True)


def is_first() -> bool:
    """Whether this process is the first, or the only one, of those that train together."""
    return os.environ.get("RANK", "0") == "0"
