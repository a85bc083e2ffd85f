"""Prompts to text that the LLM writes: left-padded batches through its own `generate`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch

from meg.model.batch import Batch, Lookup
from meg.model.network import ConceptLM
from meg.prompts.tokens import Example, Tokens

if TYPE_CHECKING:
    from transformers.generation.streamers import BaseStreamer

__all__ = ["left_padded", "write", "write_on"]


def left_padded(examples: Sequence[Example], vectors: Lookup) -> Batch:
    """Prompts of unequal length that end together: the arguments of `ConceptLM.generate`.

    Branches are left out, and the concepts that would stand in them.
    """
    length = max(len(example.prefix) for example in examples)
    ids = torch.zeros(len(examples), length, dtype=torch.long)
    seen = torch.zeros_like(ids)
    for row, example in enumerate(examples):
        ids[row, length - len(example.prefix) :] = torch.tensor(example.prefix)
        seen[row, length - len(example.prefix) :] = 1
    cuis = [cui for example in examples for cui in example.cuis]
    return {"input_ids": ids, "attention_mask": seen, "concepts": torch.from_numpy(vectors(cuis))}


def write(
    network: ConceptLM,
    tokens: Tokens,
    batch: Batch,
    max_new_tokens: int,
    streamer: "BaseStreamer | None" = None,
) -> list[str]:
    """What the LLM writes, greedily, behind each prompt of a `left_padded` batch."""
    return [
        text.strip() for text in write_on(network, tokens, batch, max_new_tokens, streamer=streamer)
    ]


def write_on(
    network: ConceptLM, tokens: Tokens, batch: Batch, max_new_tokens: int, **options: Any
) -> list[str]:
    """As `write`, with the white space as it is and options of the LLM's own generate.

    Stops at the LLM's own end tokens and at the tokenizer's, which Phase II trains.
    """
    network.eval()
    ends = network.llm.generation_config.eos_token_id
    known = ends if isinstance(ends, list) else [ends]
    written = network.generate(
        **batch,
        max_new_tokens=max_new_tokens,
        eos_token_id=sorted({*known, tokens.tokenizer.eos_token_id} - {None}),
        pad_token_id=tokens.tokenizer.pad_token_id or tokens.tokenizer.eos_token_id or 0,
        **options,
    )
    texts: list[str] = tokens.tokenizer.batch_decode(written, skip_special_tokens=True)
    return texts
