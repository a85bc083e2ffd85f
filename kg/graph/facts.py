"""What the graph states of single concepts, as sentences; the most telling first."""

from collections.abc import Iterable

import polars as pl

__all__ = ["facts_of"]

VERBS = {"CHD": "is a", "isa": "is a", "RB": "is broader than", "RO": "is related to"}
"""Relations that are no words; of others "_" becomes a space."""


def facts_of(
    cuis: Iterable[str], concepts: pl.DataFrame, triplets: pl.DataFrame, most: int | None = None
) -> pl.DataFrame:
    """`cui` (in ascending order), `other`, `fact`: at most `most` rows a concept.

    A concept may be a fact's head or tail; `other` is its other end. A neighbour with few triplets
    of its own says more of a concept than one that all are linked to: the rarest come first.
    """
    asked = pl.DataFrame({"cui": sorted(set(cuis))}, {"cui": pl.String})
    ends = pl.concat([triplets["head"], triplets["tail"]]).value_counts(name="degree")
    degree = ends.rename({ends.columns[0]: "other"})
    names = concepts.select("cui", "name")
    verb = pl.col("relation").replace(VERBS).str.replace_all("_", " ", literal=True)
    rows = [
        triplets.join(asked, left_on=end, right_on="cui", how="semi").with_columns(
            cui=pl.col(end), other=pl.col(other)
        )
        for end, other in (("head", "tail"), ("tail", "head"))
    ]
    ranked = pl.concat(rows).join(degree, on="other")
    ranked = ranked.sort("cui", "degree", "other", "relation", "head")
    if most is not None:
        ranked = ranked.group_by("cui", maintain_order=True).head(most)
    return (
        ranked.join(
            names.rename({"cui": "head", "name": "subject"}), on="head", maintain_order="left"
        )
        .join(names.rename({"cui": "tail", "name": "object"}), on="tail", maintain_order="left")
        .select("cui", "other", fact=pl.format("{} {} {}.", "subject", verb, "object"))
    )
