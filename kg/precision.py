"""bfloat16 where the device is faster with it. Some CPUs take twice or seven times as long as in
float32 (docs/benchmarks.md), so there float32 stands in, which the log says.
"""

import logging
import time
from functools import cache
from typing import TypeVar

import torch

from kg import processes
from kg.config import EncoderConfig, FeaturesConfig

__all__ = ["as_computed", "fast_bfloat16"]

Settings = TypeVar("Settings", EncoderConfig, FeaturesConfig)

log = logging.getLogger(__name__)

PAYS = 1.5
"""Times as fast as float32 that bfloat16 has to be. The CPUs in docs/benchmarks.md are at 0.1 and
0.4, one of AMD with AVX-512 is at several times: no chance of the moment decides."""
REPEATS = 10


@cache
def fast_bfloat16() -> bool:
    """Whether bfloat16 pays on this process's device; logged where it does not.

    CPUs that have instructions for it may yet be slower with it (docs/benchmarks.md).
    """
    where = processes.device().type
    if where == "cuda":
        speed = float(torch.cuda.is_bf16_supported(including_emulation=False)) * PAYS
    else:
        # What torch itself asks before it leaves a product to oneDNN.
        onednn = torch.backends.mkldnn.is_available()
        speed = _speed() if onednn and torch.ops.mkldnn._is_mkldnn_bf16_supported() else 0.0
    if speed < PAYS:
        why = (
            f"{speed:.1f} times as fast as float32" if speed else "without instructions of its own"
        )
        log.warning("bfloat16 on this %s is %s: computing in float32 instead", where, why)
    return speed >= PAYS


def _speed() -> float:
    """How many times as fast as float32 a product of bfloat16 is, the best of some."""

    def best(dtype: torch.dtype) -> float:
        left, right = torch.ones(512, 1536, dtype=dtype), torch.ones(576, 1536, dtype=dtype)
        seconds = []
        for _ in range(REPEATS):
            start = time.perf_counter()
            torch.nn.functional.linear(left, right)
            seconds.append(time.perf_counter() - start)
        return min(seconds)

    return best(torch.float32) / best(torch.bfloat16)


def as_computed(config: Settings) -> Settings:
    """The config as it is run here: without bf16 where that is not fast."""
    if not config.bf16 or fast_bfloat16():
        return config
    return config.model_copy(update={"bf16": False})
