"""Processes that train one model together, as torchrun starts them, each on a GPU of its own.

Alone, without torchrun, every function here does nothing.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import torch
from torch import Tensor, distributed

from kg.shared.errors import InputError

__all__ = ["broadcast", "count", "device", "every", "is_first", "mean", "rank", "together"]

PATIENCE = timedelta(hours=2)
"""What a process waits for the others: the first one may have to read much."""


@contextmanager
def together() -> Iterator[None]:
    """Connect the processes that torchrun started, until the block ends."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield
        return
    where = device()
    if where.type == "cuda":
        torch.cuda.set_device(where)
    distributed.init_process_group("nccl" if where.type == "cuda" else "gloo", timeout=PATIENCE)
    yield
    # Not after an error, which ends the process: its traceback holds the DDP model, and where that
    # is the last to hold the group, torch waits for gloo's thread, which waits for Python's lock.
    distributed.destroy_process_group()


def device() -> torch.device:
    """This process's GPU, or the CPU where there is none; raises InputError on too few GPUs."""
    if not torch.cuda.is_available():
        return torch.device("cpu")
    number, gpus = int(os.environ.get("LOCAL_RANK", "0")), torch.cuda.device_count()
    if number >= gpus:
        raise InputError(
            f"process {number} of this machine has no GPU: {gpus} can be seen; set gpus of the "
            f"model (of kg for an encoder) to {gpus}, or hide them with CUDA_VISIBLE_DEVICES="
        )
    return torch.device("cuda", number)


def count() -> int:
    """How many train together."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def rank() -> int:
    """This process's number, from 0; known before the processes are connected."""
    return int(os.environ.get("RANK", "0"))


def is_first() -> bool:
    """Whether this process is the first, or the only one, of those that train together."""
    return rank() == 0


def broadcast(tensor: Tensor) -> Tensor:
    """The first process's tensor, in the place of this one's of the same shape."""
    if count() > 1:
        distributed.broadcast(tensor, 0)
    return tensor


def mean(value: float) -> float:
    """Mean over the processes."""
    return sum(every(value)) / count()


def every(value: Any) -> list[Any]:
    """Each process's value, in order."""
    values = [value] * count()
    if count() > 1:
        distributed.all_gather_object(values, value)
    return values
