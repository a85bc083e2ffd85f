"""The concepts whose vectors point the same way, and which one a person means."""

import numpy as np
import polars as pl

from kg.shared.errors import InputError
from kg.store.vectors import EmbeddingStore

__all__ = ["concepts_meant", "nearest"]

_SHOWN = 5
"""Concepts that an error lists."""
_ROWS = 16_384
"""Rows of the mapped store that are in memory at once."""


def concepts_meant(text: str, store: EmbeddingStore, concepts: pl.DataFrame | None) -> list[str]:
    """The cui that `text` is, or else those whose name, or else one of whose synonyms, it is.

    Capitals do not matter in names. Raises InputError where it is no concept's.
    """
    if text in store:
        return [text]
    if concepts is None:
        raise InputError(
            f"{text!r} is no id of the {len(store)} in {store.path}; to ask by a name, give "
            "--graph, the folder with its concepts.parquet"
        )
    wanted = text.strip().lower()
    name = pl.col("name").str.to_lowercase()
    synonyms = pl.col("synonyms").list.eval(pl.element().str.to_lowercase())
    for named in (name == wanted, synonyms.list.contains(wanted)):
        if (found := concepts.filter(named)).height:
            return found["cui"].to_list()
    like = concepts.filter(name.str.contains(wanted, literal=True))
    raise InputError(
        f"{text!r} is neither an id in {store.path} nor a name or a synonym of its "
        f"{concepts.height} concepts; names that hold it: {_listed(like) or 'none'}"
    )


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


def _listed(concepts: pl.DataFrame) -> str:
    rows = concepts.select("cui", "name").head(_SHOWN).rows()
    more = ["..."] if concepts.height > _SHOWN else []
    return ", ".join([f"{cui} ({name})" for cui, name in rows] + more)


def _unit(vectors: np.ndarray) -> np.ndarray:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(length == 0, 1, length)
