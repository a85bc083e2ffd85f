"""Concept vectors for a batch: the store's own, or another concept's as a control."""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from kg.shared.errors import InputError
from kg.store import EmbeddingStore

__all__ = ["Vectors"]


class Vectors:
    """Looks cuis up in a store, in float32.

    Without a store, for a text-only model, no concept is known.

    With kind "permuted" every concept gets another concept's vector, always the same one, drawn
    from `seed`: what the trained model makes of vectors that carry no knowledge of the concept.
    """

    def __init__(
        self,
        store: EmbeddingStore | None,
        kind: Literal["store", "permuted"] = "store",
        seed: int = 0,
    ) -> None:
        self.store = store
        self.rows: np.ndarray | None = None
        if store is not None and kind == "permuted":
            # One cycle through all rows: no concept can keep its own vector.
            cycle = np.random.default_rng(seed).permutation(len(store))
            self.rows = np.empty_like(cycle)
            self.rows[cycle] = np.roll(cycle, 1)

    @property
    def dim(self) -> int:
        """Width of a vector; 1 without a store: DeepSpeed cannot part an empty mapper."""
        return self.store.dim if self.store is not None else 1

    def known(self, cui: str) -> bool:
        """Whether the store has the cui."""
        return self.store is not None and cui in self.store

    def __call__(self, cuis: Sequence[str]) -> np.ndarray:
        """Vectors (concept, kge) float32; raises InputError naming a cui the store lacks."""
        if self.store is None:
            if cuis:
                raise InputError(f"{cuis[0]} has no vector: there is no store; give --store")
            return np.zeros((0, self.dim), dtype=np.float32)
        own = self.store.get(cuis)
        if self.rows is None:
            return own
        rows = self.rows[self.store.rows(cuis)]
        return np.asarray(self.store.embedding[rows], dtype=np.float32)
