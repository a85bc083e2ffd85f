"""Look into a store, and change between its layout and the published one.

python -m kg.store info --store embeddings.h5
python -m kg.store get C0000294 --store embeddings.h5
python -m kg.store nearest "Marfan syndrome" --store results/kg/hpo/edgegraphsage/embeddings.h5
python -m kg.store facts "Marfan syndrome" --store results/kg/hpo/edgegraphsage/embeddings.h5
python -m kg.store import word2embed.h5 --store embeddings.h5 --concepts concepts.parquet
python -m kg.store export word2embed.h5 --store embeddings.h5
"""

import json
import logging
import sys
from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from pydantic import Field
from pydantic_settings import CliApp, CliPositionalArg, CliSubCommand

from kg.graph.facts import facts_of
from kg.graph.tables import read_concepts, read_triplets
from kg.shared.command import Command, main
from kg.shared.errors import InputError
from kg.store.nearest import concepts_meant, nearest
from kg.store.published import read_published, write_published
from kg.store.vectors import EmbeddingStore, matching_rows, write_store

__all__ = ["StoreCommand"]

log = logging.getLogger(__name__)


class Info(Command):
    """What a store holds and where it comes from, as JSON."""

    store: Path = Field(description="the store")

    def run(self) -> None:
        """Write the attributes and sizes to stdout."""
        store = EmbeddingStore(self.store)
        sizes = {"rows": len(store), "dim": store.dim, "dtype": str(store.embedding.dtype)}
        _show({**sizes, **store.attributes})


class Get(Command):
    """The vector of a concept, as JSON."""

    cui: CliPositionalArg[str] = Field(description="its id")
    store: Path = Field(description="the store")

    def run(self) -> None:
        """Write the vector to stdout."""
        _show(EmbeddingStore(self.store).get([self.cui])[0].tolist())


class _Asked(Command):
    """What asks for a concept, by its id, its name or a synonym; several may have a name."""

    concept: CliPositionalArg[str] = Field(description="id, name or synonym")
    store: Path = Field(description="the store")
    graph: Path | None = Field(
        None, description="folder of the graph's tables, if not the one above the store's"
    )

    def run(self) -> None:
        """Write one line a result to stdout, under the concept where there are several."""
        store = EmbeddingStore(self.store)
        folder = self.graph or store.graph
        path = folder / "concepts.parquet"
        table = None
        if self.graph is not None or path.is_file():
            table = read_concepts(path)
            store.check(table)
        cuis = concepts_meant(self.concept, store, table)
        found = self.found(cuis, store, table, folder)
        for cui in cuis:
            if len(cuis) > 1:
                sys.stdout.write(f"# {self.concept} ({cui})\n")
            sys.stdout.writelines("\t".join(row) + "\n" for row in found[cui])

    @abstractmethod
    def found(
        self, cuis: list[str], store: EmbeddingStore, concepts: pl.DataFrame | None, folder: Path
    ) -> Mapping[str, list[tuple[str, ...]]]:
        """The rows of each concept; `folder` is its graph's."""


class Nearest(_Asked):
    """The nearest concepts to one: cui, name, cosine, TAB-separated."""

    count: int = Field(10, ge=1, description="how many")

    def found(
        self, cuis: list[str], store: EmbeddingStore, concepts: pl.DataFrame | None, folder: Path
    ) -> Mapping[str, list[tuple[str, ...]]]:
        """The best first."""
        names = {} if concepts is None else dict(concepts.select("cui", "name").iter_rows())
        return {
            cui: [
                (other, names.get(other, ""), f"{similarity:.4f}")
                for other, similarity in nearest(store, cui, self.count)
            ]
            for cui in cuis
        }


class Facts(_Asked):
    """What the graph states of a concept: the other concept's cui and the fact, TAB-separated."""

    count: int = Field(20, ge=1, description="how many, those of the rarest neighbours first")

    def found(
        self, cuis: list[str], store: EmbeddingStore, concepts: pl.DataFrame | None, folder: Path
    ) -> Mapping[str, list[tuple[str, ...]]]:
        """Those that say most of the concept first."""
        if concepts is None:
            raise InputError(f"no concepts.parquet in {folder}; give --graph, the graph's folder")
        facts = facts_of(cuis, concepts, read_triplets(folder / "triplets.parquet"))
        own = {cui: facts.filter(cui=cui).select("other", "fact").rows() for cui in cuis}
        for cui, rows in own.items():
            log.info("%s has %d facts, %d are shown", cui, len(rows), min(self.count, len(rows)))
        return {cui: rows[: self.count] for cui, rows in own.items()}


class Import(Command):
    """A published word2embed_*.h5 file to a store."""

    file: CliPositionalArg[Path] = Field(description="the file to read")
    store: Path = Field(description="the store to write")
    concepts: Path | None = Field(
        None, description="concepts.parquet whose rows the store is to have; all vectors without"
    )

    def run(self) -> None:
        """Read the vectors, take those of the concepts, write the store."""
        names, vectors = read_published(self.file)
        cuis = pl.Series("cui", names)
        if self.concepts is not None:
            cuis = read_concepts(self.concepts)["cui"]
            rows = matching_rows(names, cuis)
            missing = np.flatnonzero(rows < 0)
            if len(missing):
                raise InputError(
                    f"{self.file} lacks {len(missing)} of {len(cuis)} concepts of {self.concepts} "
                    f"(first {cuis[int(missing[0])]}); leave them out of the concepts"
                )
            vectors = vectors[rows]
        write_store(self.store, cuis, vectors, {"imported": self.file.name}, {})
        log.info("%s has %d of the %d vectors of %s", self.store, len(cuis), len(names), self.file)


class Export(Command):
    """A store to the file that the published code reads: one float16 data set a concept."""

    file: CliPositionalArg[Path] = Field(description="the file to write")
    store: Path = Field(description="the store to read")

    def run(self) -> None:
        """Read the store and write the file."""
        write_published(self.file, EmbeddingStore(self.store))


class StoreCommand(Command):
    """Look into an embedding store, import and export it."""

    info: CliSubCommand[Info]
    get: CliSubCommand[Get]
    nearest: CliSubCommand[Nearest]
    facts: CliSubCommand[Facts]
    import_: CliSubCommand[Import] = Field(alias="import")
    export: CliSubCommand[Export]

    def run(self) -> None:
        """Run the chosen subcommand."""
        CliApp.run_subcommand(self)


def _show(value: Any) -> None:
    sys.stdout.write(json.dumps(value, indent=None if isinstance(value, list) else 2) + "\n")


if __name__ == "__main__":
    main(StoreCommand)
