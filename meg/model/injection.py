"""Where mapped concept vectors take the placeholders' places: at the LLM's input or near its end.

An injection owns what it needs for that: the vectors that wait for a layer, and the hook there.
"""

from abc import ABC, abstractmethod
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from meg.model.mapper import Mapper

__all__ = ["Injection", "injected_at"]


class Waiting(NamedTuple):
    """Concept vectors (concept, kge), and where they go: `mask` (batch, seq), in batch order."""

    mask: Tensor
    concepts: Tensor


class Injection(ABC):
    """Puts concept vectors, through the mapper, where the placeholders stand."""

    def __init__(self, mapper: Mapper) -> None:
        self.mapper = mapper

    @abstractmethod
    def __call__(self, embedded: Tensor, mask: Tensor, concepts: Tensor) -> Tensor:
        """Input embeddings (batch, seq, hidden) for the LLM.

        `mask` (batch, seq) is true at the placeholders, as often as there are `concepts`
        (concept, kge).
        """

    def _maps(self, concepts: Tensor) -> bool:
        """Whether the mapper is called: in training even for no concepts. DeepSpeed and FSDP want
        it so of all processes, and a step without any moves it alike however it is launched."""
        return len(concepts) > 0 or self.mapper.training


class AtInput(Injection):
    """Overwrites the placeholders' input embeddings."""

    def __call__(self, embedded: Tensor, mask: Tensor, concepts: Tensor) -> Tensor:
        if not self._maps(concepts):
            return embedded
        mapped = self.mapper(concepts, mask.sum(1)).to(embedded.dtype)
        return embedded.masked_scatter(mask[..., None], mapped)


class AtLastLayer(Injection):
    """Overwrites the placeholders' hidden states that enter the last layer; zeros until there."""

    def __init__(self, mapper: Mapper, last: nn.Module) -> None:
        super().__init__(mapper)
        # Kept until the next forward: gradient checkpointing calls the layer a second time, in the
        # backward pass.
        self.waiting: Waiting | None = None
        self.hook = last.register_forward_pre_hook(self._overwrite, with_kwargs=True)

    def __call__(self, embedded: Tensor, mask: Tensor, concepts: Tensor) -> Tensor:
        self.waiting = Waiting(mask, concepts)
        return embedded.masked_fill(mask[..., None], 0) if self._maps(concepts) else embedded

    def _overwrite(
        self, _: nn.Module, inputs: tuple[Tensor, ...], keywords: dict[str, Any]
    ) -> tuple[tuple[Tensor, ...], dict[str, Any]] | None:
        assert self.waiting is not None
        hidden = inputs[0] if inputs else keywords["hidden_states"]
        # In generation all steps but the first have one new token each, and nothing to inject.
        if hidden.shape[1] != self.waiting.mask.shape[1] or not self._maps(self.waiting.concepts):
            return None
        injected = self._placed(hidden, self.waiting)
        if inputs:
            return (injected, *inputs[1:]), keywords
        return inputs, {**keywords, "hidden_states": injected}

    def _placed(self, hidden: Tensor, waiting: Waiting) -> Tensor:
        """The last hidden states (batch, of seq, hidden) with the vectors among them."""
        mask = waiting.mask[..., None]
        mapped = self.mapper(waiting.concepts, waiting.mask.sum(1)).to(hidden.dtype)
        placed = hidden.new_zeros(*mask.shape[:2], hidden.shape[2]).masked_scatter(mask, mapped)
        # Beams and further sequences repeat each row of the batch.
        copies = len(hidden) // len(mask)
        mask, placed = (
            part[:, -hidden.shape[1] :].repeat_interleave(copies, 0) for part in (mask, placed)
        )
        return torch.where(mask, placed, hidden)


class AtOutput(AtLastLayer):
    """Overwrites what enters the output layer, behind the final norm, as the published code does.

    So a vector changes the token that is predicted in its own place, and no other.
    """

    def _overwrite(
        self, _: nn.Module, inputs: tuple[Tensor, ...], keywords: dict[str, Any]
    ) -> tuple[tuple[Tensor, ...], dict[str, Any]] | None:
        # Once a prompt: generation asks for its last token alone, and then for each new one.
        waiting, self.waiting = self.waiting, None
        if waiting is None or not self._maps(waiting.concepts):
            return None
        return (self._placed(inputs[0], waiting), *inputs[1:]), keywords


def injected_at(kind: str, mapper: Mapper, last: nn.Module, output: nn.Module) -> Injection:
    """Of `model.injection`; `last` is the LLM's last layer, `output` gives the logits."""
    kinds = {"last": (AtLastLayer, last), "output": (AtOutput, output)}
    if kind not in kinds:
        return AtInput(mapper)
    made, layer = kinds[kind]
    return made(mapper, layer)
