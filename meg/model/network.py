"""The network: a causal LM that reads concept vectors in place of placeholder tokens."""

import inspect
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from meg.model.injection import injected_at
from meg.model.mapper import Mapper

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedModel

__all__ = ["ConceptLM", "context_length", "layers", "plain"]

ATTENTION = ("full_attention", "sliding_attention", "attention")
"""Kinds of layer, as configurations name them, that a mask governs."""

LENGTHS = ("max_position_embeddings", "max_seq_len", "seq_length")
"""What configurations call the tokens that an LLM was made for; MPT and BLOOM have their own."""

WIDENED_ROWS = 2048
"""Of a narrow output layer, to float32 at a time: a few megabytes, which stay in the cache."""


class ConceptLM(nn.Module):
    """Any causal LM of transformers with concept vectors injected by a mapper.

    Forward pass:
    1. look up the embeddings of `input_ids`; the placeholder's id is outside the vocabulary and
       is masked before the look-up;
    2. map the concept vectors to the LLM's embedding space;
    3. overwrite the placeholder positions with them, in batch order, or the hidden states that
       enter the last layer at these positions (`meg.model.injection`);
    4. run the LLM;
    5. compute logits, only at the positions asked for.

    Nothing changes a sequence's length, no embedding is resized, and without placeholders the
    logits are the LLM's own, bit for bit. The design is LLaVA's (arXiv 2304.08485).

    `merged` is the folder of the adapters that the LLM's weights hold, if they do.
    """

    def __init__(
        self,
        llm: "PreTrainedModel | PeftModel",
        mapper: Mapper,
        placeholder: int,
        injection: str = "input",
        merged: Path | None = None,
    ) -> None:
        super().__init__()
        self.llm: Any = llm
        self.mapper = mapper
        self.placeholder = placeholder
        self.merged = merged
        self.injection = injected_at(
            injection, mapper, layers(llm)[-1], llm.get_output_embeddings()
        )
        self.takes_positions = "position_ids" in inspect.signature(plain(llm).forward).parameters

    @property
    def device(self) -> torch.device:
        """Where the LLM's input embeddings are."""
        return self.llm.get_input_embeddings().weight.device

    @property
    def dtype(self) -> torch.dtype:
        """Type of the LLM's embeddings."""
        return self.llm.get_input_embeddings().weight.dtype

    @property
    def longest_shared(self) -> int:
        """Tokens that prefix and branch may have where branches share a row; 0: they may not.

        A shared row needs a mask and positions of its own. ALiBi and state-space layers have no
        positions, and a sliding window is lost with the mask.
        """
        config = self._config
        kinds = getattr(config, "layer_types", None) or getattr(config, "layers_block_type", [])
        if not self.takes_positions or {*kinds} - {*ATTENTION} or getattr(config, "alibi", False):
            return 0
        window = getattr(config, "sliding_window", None)
        if "local" in getattr(config, "attention_layers", ()):  # GPT-Neo's name for it
            window = config.window_size
        return window or sys.maxsize

    def embed(self, input_ids: Tensor, concepts: Tensor) -> Tensor:
        """Input embeddings (batch, seq, hidden) with `concepts` (concept, kge) injected.

        Raises ValueError when the number of vectors is not that of the placeholders: the caller
        built prompts and vectors from different concepts.
        """
        mask = input_ids == self.placeholder
        if (found := int(mask.sum())) != len(concepts):
            raise ValueError(
                f"{len(concepts)} concept vectors for {found} placeholders; the collator must "
                "give one vector a placeholder, in batch order"
            )
        embedded = self.llm.get_input_embeddings()(input_ids.masked_fill(mask, 0))
        return self.injection(embedded, mask, concepts)

    def forward(
        self,
        input_ids: Tensor,
        concepts: Tensor,
        attention_mask: Tensor,
        position_ids: Tensor,
        logits_at: Tensor | None = None,
    ) -> Tensor:
        """Logits (target, vocab) at `logits_at`, else (batch, seq, vocab).

        input_ids, position_ids: (batch, seq); concepts: (concept, kge), one a placeholder in
        batch order; attention_mask: (batch, seq), or additive (batch, 1, seq, seq);
        logits_at: (target,) positions in the flattened (batch * seq).
        """
        embedded = self.embed(input_ids, concepts)
        with self._only(logits_at):
            output = self.llm(
                inputs_embeds=embedded,
                attention_mask=attention_mask,
                use_cache=False,
                **({"position_ids": position_ids} if self.takes_positions else {}),
            )
        return output.logits if logits_at is None else output.logits[0]

    @torch.no_grad()
    def generate(
        self, input_ids: Tensor, concepts: Tensor, attention_mask: Tensor, **options: Any
    ) -> Tensor:
        """Ids (batch, new) that the LLM writes behind left-padded prompts (batch, seq).

        `options` are those of the LLM's own generate, a streamer and `generation_config` among
        them; without that, greedy. The inputs may lie on any device.
        """
        greedy = {"do_sample": False, "num_beams": 1, "use_cache": True}
        defaults = {} if "generation_config" in options else greedy
        with self.autocast():
            embedded = self.embed(input_ids.to(self.device), concepts.to(self.device))
            return self.llm.generate(
                inputs_embeds=embedded,
                attention_mask=attention_mask.to(self.device),
                **defaults | options,
            )

    def autocast(self) -> torch.autocast:
        """The precision of training, for float32 adapters beside a narrower LLM; else the LLM's."""
        enabled = self.adapted and self.dtype != torch.float32
        return torch.autocast(self.device.type, self.dtype, enabled=enabled)

    @property
    def adapted(self) -> bool:
        """Whether adapters lie beside the LLM's weights, where they can be trained."""
        return plain(self.llm) is not self.llm

    @property
    def attention(self) -> str:
        """transformers' name of the implementation that computes the LLM's attention."""
        return str(self._config._attn_implementation)

    @attention.setter
    def attention(self, name: str) -> None:
        self._config._attn_implementation = name

    @property
    def _config(self) -> Any:
        return plain(self.llm).config.get_text_config()

    @contextmanager
    def _only(self, logits_at: Tensor | None) -> Iterator[None]:
        """Let the output layer see only some positions: its cost is that of many layers.

        A hook on the layer, because models differ in what follows it (scaling, soft caps). When
        options are compared, not trained, logits are float32: rounded to bfloat16 those of two
        options are often equal, and the first one would win.
        """
        if logits_at is None:
            yield
            return
        layer = self.llm.get_output_embeddings()

        def select(_: nn.Module, inputs: tuple[Tensor]) -> tuple[Tensor]:
            return (inputs[0].flatten(0, 1)[logits_at][None],)

        def widen(_: nn.Module, inputs: tuple[Tensor], logits: Tensor) -> Tensor:
            with torch.autocast(logits.device.type, enabled=False):
                return _wide_linear(inputs[0], layer.weight, layer.bias)

        handles = [layer.register_forward_pre_hook(select)]
        narrow = isinstance(layer, nn.Linear) and layer.weight.dtype in (torch.bfloat16, torch.half)
        if narrow and not torch.is_grad_enabled():
            handles.append(layer.register_forward_hook(widen))
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()


def _wide_linear(inputs: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """F.linear in float32. A float32 copy of a whole output layer takes a CPU as long to make as
    the layers below take to compute, and a GPU gigabytes: a part of it is, again and again."""
    copy = torch.empty_like(weight[:WIDENED_ROWS], dtype=torch.float32)
    wide = inputs.float()
    products = torch.cat(
        [F.linear(wide, copy[: len(part)].copy_(part)) for part in weight.split(WIDENED_ROWS)], -1
    )
    return products if bias is None else products + bias.float()


def context_length(llm: Any) -> int | None:
    """Tokens that the LLM was made to read at once; None where its configuration sets no bound."""
    config = plain(llm).config.get_text_config()
    found = (getattr(config, name, None) for name in LENGTHS)
    return next((length for length in found if length and length > 0), None)


def plain(llm: Any) -> Any:
    """The LLM without PEFT's wrapper of its adapters."""
    return llm.get_base_model() if hasattr(llm, "get_base_model") else llm


def layers(llm: nn.Module) -> nn.ModuleList:
    """The decoder layers: the longest module list."""
    lists = [module for module in llm.modules() if isinstance(module, nn.ModuleList)]
    return max(lists, key=len)
