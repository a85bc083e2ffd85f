"""Examples to a batch: a prefix with its branches in one row, so the prefix is computed once.

Row layout: prefix, branch 0, branch 1, ..., padding. Every branch sees the prefix and itself
(block mask) and its positions go on from the prefix's end, so each branch is computed exactly as
if it stood behind the prefix alone. LLMs that cannot do this get a row a branch.
"""

import sys
from collections.abc import Callable, Sequence
from hashlib import blake2b

import numpy as np
import torch
from torch import Tensor

from meg.model.network import ConceptLM
from meg.prompts.tokens import Example
from meg.prompts.wording import Injected

__all__ = ["Batch", "Collator", "Lookup"]

Batch = dict[str, Tensor]
"""
input_ids, position_ids (batch, seq) · attention_mask (batch, seq), or additive
(batch, 1, seq, seq) where a row has several branches · concepts (concept, kge)
logits_at (target,): flattened positions whose next token is scored · targets (target,): that
token, for verdicts unused · branch (target,): which branch it belongs to · question (branch,):
whose branch · labels (example,): the right branch of each example
Phase I: name_ids (token,), name_of (token,): whose name · groups (concept,): equal for one cui, in
the batches of other devices too
"""

Lookup = Callable[[Sequence[Injected]], np.ndarray]
"""What is injected -> (concept, kge) float32."""


class Collator:
    """Pads examples to the longest of the batch and looks their concepts up.

    With `verdicts` a branch is scored by what follows it (Yes or No), else by its own tokens.
    `dtype` is that of the additive mask, the LLM's. Prefix and branch of more than
    `longest_shared` tokens get a row of their own, for which the `placeholder` must be known.
    """

    def __init__(
        self,
        vectors: Lookup,
        dtype: torch.dtype = torch.float32,
        verdicts: bool = False,
        placeholder: int = -1,
        longest_shared: int = sys.maxsize,
    ) -> None:
        self.vectors = vectors
        self.dtype = dtype
        self.verdicts = verdicts
        self.placeholder = placeholder
        self.longest_shared = longest_shared

    @classmethod
    def of(cls, network: ConceptLM, vectors: Lookup, verdicts: bool = False) -> "Collator":
        """The collator that suits an LLM."""
        return cls(vectors, network.dtype, verdicts, network.placeholder, network.longest_shared)

    def __call__(self, examples: Sequence[Example]) -> Batch:
        alone = [part for example in examples for part in self._parts(example)]
        rows = [_Row(example) for example in alone]
        length = max(len(row.ids) for row in rows)
        batch: Batch = {
            "input_ids": _pad([row.ids for row in rows], length),
            "position_ids": _pad([row.positions for row in rows], length),
            "attention_mask": _attention(rows, length, self.dtype),
            "concepts": self._concepts(alone),
            "labels": torch.tensor([example.gold for example in examples]),
            "question": torch.tensor(
                [i for i, example in enumerate(examples) for _ in example.branches]
            ),
            **self._targets(rows, length),
        }
        if any(example.names for example in examples):
            batch |= _names(examples)
        return batch

    def concepts_only(self, examples: Sequence[Example]) -> Batch:
        """Phase I's concepts and names without the prompts around them."""
        return {"concepts": self._concepts(examples), **_names(examples)}

    def tokens(self, example: Example) -> int:
        """Of the rows that an example takes."""
        return sum(map(len, self._parts(example)))

    def _parts(self, example: Example) -> list[Example]:
        longest = len(example.prefix) + max(map(len, example.branches))
        if len(example.branches) == 1 or longest <= self.longest_shared:
            return [example]
        return example.apart(self.placeholder)

    def _concepts(self, examples: Sequence[Example]) -> Tensor:
        return torch.from_numpy(self.vectors([cui for example in examples for cui in example.cuis]))

    def _targets(self, rows: Sequence["_Row"], length: int) -> Batch:
        at, targets, branch = [], [], []
        branches = 0
        for number, row in enumerate(rows):
            for start, ids in row.branches:
                if self.verdicts:
                    positions, tokens = [start + len(ids) - 1], [ids[-1]]
                else:
                    # The first token of a branch is predicted by the prefix's last position.
                    positions = [row.prefix - 1, *range(start, start + len(ids) - 1)]
                    tokens = list(ids)
                at += [number * length + position for position in positions]
                targets += tokens
                branch += [branches] * len(tokens)
                branches += 1
        return {
            "logits_at": torch.tensor(at),
            "targets": torch.tensor(targets),
            "branch": torch.tensor(branch),
        }


class _Row:
    """One example laid out: ids, positions, and the segment (0 prefix, k the k-th branch)."""

    def __init__(self, example: Example) -> None:
        self.prefix = len(example.prefix)
        self.ids = list(example.prefix)
        self.positions = list(range(self.prefix))
        self.segments = [0] * self.prefix
        self.branches: list[tuple[int, tuple[int, ...]]] = []
        for number, branch in enumerate(example.branches, 1):
            self.branches.append((len(self.ids), branch))
            self.ids += branch
            self.positions += range(self.prefix, self.prefix + len(branch))
            self.segments += [number] * len(branch)


def _pad(rows: Sequence[Sequence[int]], length: int, value: int = 0) -> Tensor:
    padded = torch.full((len(rows), length), value)
    for number, row in enumerate(rows):
        padded[number, : len(row)] = torch.tensor(row)
    return padded


def _attention(rows: Sequence[_Row], length: int, dtype: torch.dtype) -> Tensor:
    segments = _pad([row.segments for row in rows], length, value=-1)
    if all(len(row.branches) == 1 for row in rows):
        return (segments >= 0).long()
    query, key = segments[:, :, None], segments[:, None, :]
    seen = ((key == 0) | (key == query)) & torch.ones(length, length, dtype=torch.bool).tril()
    # Padding sees itself (segment -1): a row that sees nothing would be NaN.
    mask = torch.zeros(seen.shape, dtype=dtype).masked_fill(~seen, torch.finfo(dtype).min)
    return mask[:, None]


def _names(examples: Sequence[Example]) -> Batch:
    names = [name for example in examples for name in example.names]
    cuis = [cui for example in examples for cui in example.cuis]
    return {
        "name_ids": torch.tensor([token for name in names for token in name]),
        "name_of": torch.tensor([i for i, name in enumerate(names) for _ in name]),
        "groups": torch.tensor([_number(cui) for cui in cuis]),
    }


def _number(injected: Injected) -> int:
    """The same in every process."""
    digest = blake2b(str(injected).encode(), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)
