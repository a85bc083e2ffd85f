"""What an action takes: CPU seconds of this process, or seconds until a GPU is done."""

import time
from collections.abc import Callable

import torch

__all__ = ["DEVICE", "UNIT", "seconds"]

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
UNIT = "ms" if DEVICE == "cuda" else "CPU ms"


def seconds(action: Callable[[], object]) -> float:
    """Of one call."""
    if DEVICE == "cpu":
        start = time.process_time()
        action()
        return time.process_time() - start
    torch.cuda.synchronize()
    start = time.perf_counter()
    action()
    torch.cuda.synchronize()
    return time.perf_counter() - start
