"""What the two tables leave out of the Human Phenotype Ontology: how often, and says who.

`annotations.parquet`: a disease, a finding, the share of its patients that have it, a paper that
says so; one row a paper. `ids.parquet`: the concept of every id of a term, former ones included.
"""

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from kg.graph.tables import read_concepts, read_table, read_triplets
from kg.shared.artefact import replacing

__all__ = ["ANNOTATIONS", "IDS", "AnnotatedGraph"]

ANNOTATIONS = pl.Schema(
    {
        "disease": pl.String(),
        "finding": pl.String(),
        "frequency": pl.Float64(),
        "paper": pl.String(),
    }
)
"""disease and finding are cuis; frequency is 0 to 1, null where none is told."""

IDS = pl.Schema({"id": pl.String(), "cui": pl.String()})


@dataclass(frozen=True)
class AnnotatedGraph:
    """The two tables of `kg.hpo` with `annotations` and `ids`."""

    concepts: pl.DataFrame
    triplets: pl.DataFrame
    annotations: pl.DataFrame
    ids: pl.DataFrame

    @classmethod
    def read(cls, folder: Path) -> "AnnotatedGraph":
        """Read the four files of a folder, checking their columns."""
        return cls(
            read_concepts(folder / "concepts.parquet"),
            read_triplets(folder / "triplets.parquet"),
            read_table(folder / "annotations.parquet", ANNOTATIONS),
            read_table(folder / "ids.parquet", IDS),
        )

    @property
    def names(self) -> dict[str, str]:
        """Of the concepts, by cui."""
        return dict(zip(self.concepts["cui"], self.concepts["name"], strict=True))

    @property
    def parents(self) -> dict[str, list[str]]:
        """Of each term the terms right above it."""
        links = self.triplets.filter(relation="is_a").sort("head", "tail")
        above = links.group_by("head", maintain_order=True).agg("tail")
        return dict(above.iter_rows())

    def write_annotations(self, folder: Path) -> None:
        """Write what stands beside the two tables, as far as it concerns their concepts."""
        known = self.concepts["cui"].implode()
        annotations = self.annotations.filter(
            pl.col("disease").is_in(known), pl.col("finding").is_in(known)
        )
        ids = self.ids.filter(pl.col("cui").is_in(known))
        for name, table in (("annotations", annotations), ("ids", ids)):
            with replacing(folder / f"{name}.parquet") as temporary:
                table.write_parquet(temporary)
