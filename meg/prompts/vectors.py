"""Concept vectors for a batch: the store's own, or another concept's as a control."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import numpy as np

from kg.shared.errors import InputError
from kg.store import EmbeddingStore
from meg.prompts.wording import Injected

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

    def __call__(self, injected: Sequence[Injected]) -> np.ndarray:
        """Vectors (concept, kge) float32, one a concept or group of concepts.

        A group has the mean of its concepts, each part of it brought back to the length that it
        has in them (`EmbeddingStore.parts`). Raises InputError naming a cui the store lacks.
        """
        groups = [(one,) if isinstance(one, str) else one for one in injected]
        found = self._of([cui for group in groups for cui in group])
        if len(found) == len(groups):
            return found
        assert self.store is not None
        starts = np.cumsum([0, *map(len, groups[:-1])])
        sizes = np.array([len(group) for group in groups])[:, None]
        means = np.add.reduceat(found, starts) / sizes
        for part in _slices(self.store.parts):
            length = np.linalg.norm(found[:, part], axis=1)
            wanted = np.add.reduceat(length, starts) / sizes[:, 0]
            own = np.linalg.norm(means[:, part], axis=1)
            means[:, part] *= (wanted / np.maximum(own, 1e-9))[:, None]
        return means.astype(np.float32)

    def _of(self, cuis: Sequence[str]) -> np.ndarray:
        if self.store is None:
            if cuis:
                raise InputError(f"{cuis[0]} has no vector: there is no store; give --store")
            return np.zeros((0, self.dim), dtype=np.float32)
        own = self.store.get(cuis)
        if self.rows is None:
            return own
        rows = self.rows[self.store.rows(cuis)]
        return np.asarray(self.store.embedding[rows], dtype=np.float32)


def _slices(widths: Sequence[int]) -> list[slice]:
    ends = np.cumsum([0, *widths]).tolist()
    return [slice(start, end) for start, end in pairwise(ends)]
