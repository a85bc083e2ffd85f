"""A UMLS Metathesaurus to the two tables, streaming: each file is checked line by line, then read.

python -m kg.umls --folder 2026AA/META --out results/umls
UMLS_API_KEY=... python -m kg.umls --download --release 2026AA --folder data/umls/META --out ...
"""

from pathlib import Path

import polars as pl
from pydantic import Field
from pydantic_settings import CliImplicitFlag

from kg.command import Command, main
from kg.config import UMLSConfig
from kg.errors import InputError
from kg.summary import Summary, write_graph
from kg.umls_concepts import umls_concepts
from kg.umls_download import API_KEY, download_umls
from kg.umls_relations import umls_triplets

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


class UMLSCommand(Command):
    """A UMLS Metathesaurus to concepts.parquet, triplets.parquet and summary.json."""

    folder: Path = Field(
        Path("data/umls/META"), description="folder with MRCONSO, MRREL, ... (.RRF or .RRF.gz)"
    )
    out: Path | None = Field(None, description="folder for the two tables and the summary")
    config: UMLSConfig = Field(UMLSConfig(), description="section `umls` of the configuration")
    download: CliImplicitFlag[bool] = Field(
        False, description=f"get the files of --release first, with the key in {API_KEY}"
    )
    release: str = Field("", description="the release to download, such as 2026AA")

    def run(self) -> None:
        """Download the files where asked; read the folder, write the tables and their summary."""
        if self.download:
            download_umls(self.release, self.folder)
        if self.out is None:
            if not self.download:
                raise InputError("--out is missing: the folder for the tables")
            return
        concepts, triplets, files = build(self.folder, self.config)
        write_graph(self.out, concepts, triplets, files)


if __name__ == "__main__":
    main(UMLSCommand)
