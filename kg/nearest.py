"""The concepts whose vectors point the same way."""

import numpy as np

from kg.store import EmbeddingStore

__all__ = ["nearest"]

_ROWS = 16_384
"""Rows of the mapped store that are in memory at once."""


def nearest(store: EmbeddingStore, cui: str, count: int) -> list[tuple[str, float]]:
    """The `count` other concepts with the highest cosine, best first, ties in the store's order.

    A vector of zeros has the cosine 0 with everything. Raises InputError for an unknown `cui`.
    """
    query = _unit(store.get([cui]))[0]
    blocks = [
        _unit(np.asarray(store.embedding[start : start + _ROWS], dtype=np.float32)) @ query
        for start in range(0, len(store), _ROWS)
    ]
    similarity = np.concatenate(blocks)
    similarity[store.rows([cui])[0]] = -np.inf
    best = np.argsort(-similarity, kind="stable")[: min(count, len(store) - 1)]
    return [(store.cuis[row].decode(), float(similarity[row])) for row in best]


def _unit(vectors: np.ndarray) -> np.ndarray:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(length == 0, 1, length)
