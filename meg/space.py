"""The embedding space before and after the mapper, made small enough to look at.

Concept vectors and what a mapper makes of them -> two t-SNE maps of some semantic types, how
well these types are apart in each space, and the nearest concepts of a few.
"""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from pydantic import Field
from sklearn.manifold import TSNE
from sklearn.metrics import silhouette_score

from kg.graph.tables import read_concepts
from kg.shared.artefact import write_json
from kg.shared.command import Command, main
from kg.store import EmbeddingStore
from meg.model.checkpoint import load_mapper
from meg.model.record import check_store, read_record

__all__ = ["space"]

TYPES, OF_TYPE = 6, 200
"""Semantic types that are drawn, the largest ones, and concepts of each."""

UNTYPED = "any"
"""The one type of a graph without."""

CANDIDATES = 20_000
"""Concepts among which the nearest ones are sought."""

NEAREST, LOOKED_UP = 5, 2
"""Neighbours shown, of so many concepts of each type."""

log = logging.getLogger(__name__)


def space(
    concepts: pl.DataFrame, before: np.ndarray, after: np.ndarray, generator: np.random.Generator
) -> dict[str, Any]:
    """Maps, measures and neighbours of the concepts' vectors in both spaces.

    Shapes: `concepts` (concept) with `name` and one `type` each, the drawn types first; `before`
    (concept, kge); `after` (concept, hidden). Concepts of type null are neighbours only.
    """
    spaces = {"before": _unit(before), "after": _unit(after)}
    drawn = np.flatnonzero(concepts["type"].is_not_null().to_numpy())
    types = concepts["type"].gather(drawn).to_list()
    seed = int(generator.integers(2**31))
    points = {name: _flat(vectors[drawn], seed) for name, vectors in spaces.items()}
    names = concepts["name"].to_list()
    shown = [
        row
        for kind in dict.fromkeys(types)
        for row in drawn[[other == kind for other in types]][:LOOKED_UP]
    ]
    return {
        "types": types,
        "points": {name: np.round(xy, 2).tolist() for name, xy in points.items()},
        "measures": {name: _apart(vectors[drawn], types) for name, vectors in spaces.items()}
        if len(set(types)) > 1
        else {},
        "nearest": [
            {"concept": names[row], "type": concepts["type"][int(row)]}
            | {name: [names[i] for i in _nearest(v, row)] for name, v in spaces.items()}
            for row in shown
        ],
    }


def _chosen(concepts: pl.DataFrame, generator: np.random.Generator) -> pl.DataFrame:
    """Some concepts with a `row` and a `type`: an equal part of each large type, then any."""
    table = concepts.with_row_index("row").select("row", "cui", "name", "semantic_types")
    table = table[generator.permutation(len(table))]
    single = table.filter(pl.col("semantic_types").list.len() == 1)
    single = single.with_columns(type=pl.col("semantic_types").list.first())
    largest = single["type"].value_counts().sort(["count", "type"], descending=[True, False])
    kinds = largest.filter(pl.col("count") > 1)["type"].head(TYPES).to_list()
    if len(kinds) < 2:
        # The published release says nothing of types.
        log.warning("%d semantic types have concepts: any are drawn, none told apart", len(kinds))
        single, kinds = table.with_columns(type=pl.lit(UNTYPED)), [UNTYPED]
    drawn = pl.concat([single.filter(pl.col("type") == kind).head(OF_TYPE) for kind in kinds])
    rest = table.join(drawn, on="row", how="anti").head(max(0, CANDIDATES - len(drawn)))
    return pl.concat([drawn, rest.with_columns(type=pl.lit(None, pl.String))], how="diagonal")


def _flat(vectors: np.ndarray, seed: int) -> np.ndarray:
    """t-SNE of unit vectors, (concept, 2) (van der Maaten and Hinton 2008)."""
    perplexity = min(30, max(2, len(vectors) // 4))
    flat = TSNE(perplexity=perplexity, init="pca", random_state=seed)
    return flat.fit_transform(vectors)


def _apart(vectors: np.ndarray, types: list[str]) -> dict[str, float]:
    """Silhouette by cosine, and how often the nearest neighbour is of one's own type."""
    similarity = vectors @ vectors.T
    np.fill_diagonal(similarity, -np.inf)
    kinds = np.array(types)
    return {
        "silhouette": round(float(silhouette_score(vectors, kinds, metric="cosine")), 4),
        "nearest_of_own_type": round(float((kinds[similarity.argmax(1)] == kinds).mean()), 4),
    }


def _nearest(vectors: np.ndarray, row: int) -> np.ndarray:
    similarity = vectors @ vectors[row]
    similarity[row] = -np.inf
    return np.argsort(-similarity, kind="stable")[:NEAREST]


def _unit(vectors: np.ndarray) -> np.ndarray:
    """Rows of mean 0 and length 1: what all vectors share tells none from another."""
    centred = vectors - vectors.mean(0)
    return centred / np.linalg.norm(centred, axis=1, keepdims=True).clip(min=1e-12)


class SpaceCommand(Command):
    """Two maps of some concepts: their stored vectors, and the LLM embeddings they become."""

    checkpoint: Path = Field(description="of meg.align or meg.finetune")
    store: Path = Field(description="embeddings.h5 that it was trained with")
    concepts: Path = Field(description="concepts.parquet")
    seed: int = Field(0, ge=0, description="of the choice of concepts and of t-SNE")
    out: Path = Field(description="the JSON that the report draws")

    def run(self) -> None:
        """Choose concepts, map their vectors, look at both."""
        store, concepts = EmbeddingStore(self.store), read_concepts(self.concepts)
        store.check(concepts)
        check_store(read_record(self.checkpoint), store)
        mapper = load_mapper(self.checkpoint)
        generator = np.random.default_rng(self.seed)
        chosen = _chosen(concepts, generator)
        before = store.get(chosen["cui"].to_list())
        with torch.no_grad():
            after = mapper(torch.from_numpy(before)).numpy()
        found = space(chosen, before, after, generator)
        write_json(self.out, found)
        log.info("%s: %s", self.out, found["measures"])


if __name__ == "__main__":
    main(SpaceCommand)
