"""A small, well-connected part of a graph, for tests and for the smoke run."""

import polars as pl

from kg.shared.errors import InputError

__all__ = ["connected_subgraph"]

SHARES = {"disease": 3 / 8, "gene": 1 / 8}
"""Part of the concepts for each kind of node; the rest are ontology terms."""


def connected_subgraph(
    concepts: pl.DataFrame, triplets: pl.DataFrame, limit: int
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """At most `limit` concepts and all triplets between them; deterministic.

    The terms of highest degree with all that is above them, then the diseases with most links to
    these (those with a gene first), then the genes with most links to these.
    """
    if limit < 16:
        raise InputError(f"a subgraph of {limit} concepts is too small; give at least 16")
    quota = {kind: int(limit * share) for kind, share in SHARES.items()}
    kinds = concepts.select("cui", kind=pl.col("semantic_types").list.first())
    terms = _terms(kinds, triplets, limit - sum(quota.values()))
    chosen = terms
    for kind in SHARES:
        chosen = chosen | _best(kinds, triplets, kind, chosen, quota[kind])
    concepts = concepts.filter(pl.col("cui").is_in(list(chosen)))
    inside = pl.col("head").is_in(list(chosen)) & pl.col("tail").is_in(list(chosen))
    return concepts, triplets.filter(inside)


def _terms(kinds: pl.DataFrame, triplets: pl.DataFrame, count: int) -> set[str]:
    parents: dict[str, list[str]] = {}
    for child, parent in triplets.filter(relation="is_a").select("head", "tail").iter_rows():
        parents.setdefault(child, []).append(parent)
    degree = triplets.group_by(pl.col("tail").alias("cui")).len()
    terms = kinds.filter(~pl.col("kind").is_in(list(SHARES))).join(degree, on="cui")
    chosen: set[str] = set()
    for cui in terms.sort(["len", "cui"], descending=[True, False])["cui"]:
        new = _with_ancestors(cui, parents) - chosen
        if len(chosen) + len(new) <= count:
            chosen |= new
    return chosen


def _with_ancestors(cui: str, parents: dict[str, list[str]]) -> set[str]:
    found: set[str] = set()
    stack = [cui]
    while stack:
        current = stack.pop()
        if current not in found:
            found.add(current)
            stack += parents.get(current, [])
    return found


def _best(
    kinds: pl.DataFrame, triplets: pl.DataFrame, kind: str, chosen: set[str], count: int
) -> set[str]:
    """The `count` concepts of a kind with most links into `chosen`."""
    of_kind = kinds.filter(kind=kind)
    links = pl.concat(
        [
            triplets.select(cui="head", other="tail", relation="relation"),
            triplets.select(cui="tail", other="head", relation="relation"),
        ]
    ).join(of_kind, on="cui", how="semi")
    ranked = (
        links.group_by("cui")
        .agg(
            has_gene=(pl.col("relation") == "gene_of_disease").any(),
            links=pl.col("other").is_in(list(chosen)).sum(),
        )
        .filter(pl.col("links") > 0)
        .sort(["has_gene", "links", "cui"], descending=[True, True, False])
    )
    return set(ranked["cui"].head(count))
