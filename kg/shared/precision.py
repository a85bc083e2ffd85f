"""bfloat16 where the device is faster with it. Some CPUs take twice or seven times as long as in
float32 (docs/reference/benchmarks.md), so there float32 stands in, which the log says.
"""

import logging
import time
import timeit
from collections.abc import Mapping
from functools import cache, partial
from typing import Any, Protocol, Self, TypeVar

import torch

from kg.shared import processes

__all__ = ["as_computed", "fast_bfloat16"]


class Computed(Protocol):
    """A section of the configuration that says whether to compute in bfloat16."""

    @property
    def bf16(self) -> bool:
        """Whether it is wanted."""

    def model_copy(self, *, update: Mapping[str, Any] | None = None) -> Self:
        """The section with other values; pydantic's."""


Settings = TypeVar("Settings", bound=Computed)

log = logging.getLogger(__name__)

PAYS = 1.5
"""Times as fast as float32 that bfloat16 has to be. The CPUs in docs/reference/benchmarks.md are at
0.1, 0.4, 2.2 and 4.6: far enough from it that no chance of the moment decides."""
REPEATS = 10


@cache
def fast_bfloat16() -> bool:
    """Whether bfloat16 pays on this process's device; logged where it does not.

    CPUs that have instructions for it may yet be slower with it (docs/reference/benchmarks.md).
    """
    where = processes.device().type
    if where == "cuda":
        instructions = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        # What torch itself asks before it leaves a product to oneDNN.
        onednn = torch.backends.mkldnn.is_available()
        instructions = onednn and torch.ops.mkldnn._is_mkldnn_bf16_supported()
    if not instructions:
        why = "without instructions of its own"
    elif where == "cpu" and (speed := _speed()) < PAYS:
        why = f"{speed:.1f} times as fast as float32"
    else:
        return True
    log.warning("bfloat16 on this %s is %s: computing in float32 instead", where, why)
    return False


def _speed() -> float:
    """How many times as fast as float32 a product of bfloat16 is, the best of some.

    In CPU seconds of one thread: several wait for each other, and where other processes run on
    their cores the same CPU is found 1 to 8 times as fast.
    """

    def best(dtype: torch.dtype) -> float:
        factors = torch.ones(512, 1536, dtype=dtype), torch.ones(576, 1536, dtype=dtype)
        product = partial(torch.nn.functional.linear, *factors)
        return min(timeit.repeat(product, timer=time.thread_time, number=1, repeat=REPEATS))

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return best(torch.float32) / best(torch.bfloat16)
    finally:
        torch.set_num_threads(threads)


def as_computed(config: Settings) -> Settings:
    """The config as it is run here: without bf16 where that is not fast."""
    if not config.bf16 or fast_bfloat16():
        return config
    return config.model_copy(update={"bf16": False})
