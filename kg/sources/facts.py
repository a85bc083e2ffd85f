"""Rows of a source to facts between two concepts."""

import polars as pl

from kg.graph.tables import normalise_triplets
from kg.sources.summary import Summary, file_rows

__all__ = ["between_concepts"]


def between_concepts(rows: pl.DataFrame, concepts: pl.DataFrame) -> tuple[pl.DataFrame, Summary]:
    """Distinct triplets between two different concepts, and what became of the rows."""
    two = rows.filter(pl.col("head") != pl.col("tail"))
    known = two
    for end in ("head", "tail"):
        known = known.join(concepts, left_on=end, right_on="cui", how="semi")
    triplets = normalise_triplets(known, concepts)
    dropped = {
        "inside one concept": rows.height - two.height,
        "no concept at an end": two.height - known.height,
        "same fact": known.height - triplets.height,
    }
    return triplets, file_rows(rows.height, dropped, triplets.height)
