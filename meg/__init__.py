"""The language side of MEG: questions, the model, its two training phases, evaluation."""

import logging
from typing import Any

__all__ = ["MEG"]

# PEFT loads bitsandbytes where it is installed, which then misses kernels that only a base LLM of
# 4 bits on a CPU would use, in every command.
logging.getLogger("bitsandbytes.backends.cpu.ops").setLevel(logging.ERROR)


def __getattr__(name: str) -> Any:
    """`from meg import MEG`, without loading torch for those who only read a configuration."""
    if name == "MEG":
        from meg.inference.pretrained import MEG  # noqa: PLC0415

        return MEG
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
