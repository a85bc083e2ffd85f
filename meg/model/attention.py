"""Which implementation of attention an LLM is loaded with, and what it does with shared rows."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from transformers.utils.import_utils import (
    is_flash_attn_2_available,
    is_flash_attn_3_available,
    is_flash_attn_4_available,
)

__all__ = ["attention", "let_share_rows"]

FLASH: tuple[tuple[str, Callable[[], bool], range], ...] = (
    ("flash_attention_4", is_flash_attn_4_available, range(9, 13)),
    ("flash_attention_3", is_flash_attn_3_available, range(8, 10)),
    ("flash_attention_2", is_flash_attn_2_available, range(8, 13)),
)
"""transformers' name, whether it is installed, and the major compute capabilities it has kernels
for (Ampere is 8, Hopper 9, Blackwell 10 and 12); the newest first."""


def attention(dtype: torch.dtype, trained: bool) -> str:
    """transformers' name of the fastest attention at hand.

    On a GPU flash-attn 4, 3 or 2, the first that is installed and runs on it, else SDPA; on a CPU
    SDPA, but for an LLM that is `trained` plain attention, whose backward pass is the faster.
    flash-attn knows no float32.
    """
    if not torch.cuda.is_available():
        return "eager" if trained else "sdpa"
    major = torch.cuda.get_device_capability()[0]
    if dtype != torch.float32:
        for name, installed, majors in FLASH:
            if major in majors and installed():
                return name
    return "sdpa"


def let_share_rows(name: str) -> None:
    """Let rows that several branches share be computed by SDPA where attention is flash-attn.

    Their mask is additive, (batch, 1, seq, seq), which flash-attn does not take.
    """
    if name not in {flash for flash, *_ in FLASH}:
        return
    # They bring half of torch with them, which asking on a CPU does not need.
    from transformers import AttentionInterface  # noqa: PLC0415
    from transformers.integrations.flash_attention import flash_attention_forward  # noqa: PLC0415
    from transformers.integrations.sdpa_attention import sdpa_attention_forward  # noqa: PLC0415

    def flash_or_sdpa(
        layer: nn.Module,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        attention_mask: Tensor | None,
        **options: Any,
    ) -> tuple[Tensor, Tensor | None]:
        shared = attention_mask is not None and attention_mask.ndim == 4
        compute = sdpa_attention_forward if shared else flash_attention_forward
        return compute(layer, query, key, value, attention_mask, **options)

    AttentionInterface.register(name, flash_or_sdpa)
