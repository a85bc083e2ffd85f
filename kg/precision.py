"""bfloat16 where the device multiplies it. On a CPU without instructions for it torch takes seven
times as long as in float32 (docs/benchmarks.md), so there float32 stands in, which the log says.
"""

import logging
from functools import cache
from typing import TypeVar

import torch

from kg import processes
from kg.config import EncoderConfig, FeaturesConfig

__all__ = ["as_computed", "fast_bfloat16"]

Settings = TypeVar("Settings", EncoderConfig, FeaturesConfig)

log = logging.getLogger(__name__)


@cache
def fast_bfloat16() -> bool:
    """Whether this process's device has instructions for bfloat16; logged where it has none."""
    if processes.device().type == "cuda":
        fast = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        # What torch itself asks before it leaves a product to oneDNN.
        onednn = torch.backends.mkldnn.is_available()
        fast = onednn and torch.ops.mkldnn._is_mkldnn_bf16_supported()
    if not fast:
        log.warning(
            "this %s has no instructions for bfloat16: computing in float32 instead",
            processes.device().type,
        )
    return fast


def as_computed(config: Settings) -> Settings:
    """The config as it is run here: without bf16 where that is not fast."""
    if not config.bf16 or fast_bfloat16():
        return config
    return config.model_copy(update={"bf16": False})
