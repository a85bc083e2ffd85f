"""A folder of RRF files to concepts, triplets and counts."""

from pathlib import Path

import polars as pl

from kg.config import UMLSConfig
from kg.shared.errors import InputError
from kg.sources.summary import Summary
from kg.sources.umls.concepts import umls_concepts
from kg.sources.umls.relations import umls_triplets

__all__ = ["build", "prune"]


def build(folder: Path, config: UMLSConfig) -> tuple[pl.DataFrame, pl.DataFrame, Summary]:
    """Concepts, triplets and what became of the rows of a folder of (gzipped) RRF files."""
    concepts, files = umls_concepts(folder, config)
    triplets, files["MRREL.RRF"] = umls_triplets(folder, concepts, config)
    for reason, degree, repeat in (
        ("min_degree", config.min_degree, False),
        ("k_core", config.k_core, True),
    ):
        if degree:
            concepts, triplets = prune(concepts, triplets, degree, repeat)
            _count_dropped(files["concepts"], reason, concepts.height)
            _count_dropped(files["MRREL.RRF"], reason, triplets.height)
            if not concepts.height:
                raise InputError(
                    f"no concept has {reason} {degree}: none is left; lower it in the config"
                )
    return concepts, triplets, files


def prune(
    concepts: pl.DataFrame, triplets: pl.DataFrame, degree: int, repeat: bool
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Drop concepts with fewer than `degree` triplets, and the triplets they are in.

    With `repeat` until nothing changes: what is left is the `degree`-core.
    """
    while True:
        ends = pl.concat([triplets.select(cui="head"), triplets.select(cui="tail")])
        enough = ends.group_by("cui").len().filter(pl.col("len") >= degree).select("cui")
        before = concepts.height
        concepts = concepts.join(enough, on="cui", how="semi", maintain_order="left")
        for end in ("head", "tail"):
            triplets = triplets.join(
                concepts, left_on=end, right_on="cui", how="semi", maintain_order="left"
            )
        if not repeat or concepts.height == before:
            return concepts, triplets


def _count_dropped(rows: Summary, reason: str, kept: int) -> None:
    if rows["kept"] > kept:
        rows["dropped"][reason] = rows["kept"] - kept
    rows["kept"] = kept
