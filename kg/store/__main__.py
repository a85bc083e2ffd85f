"""Look into a store, and change between its layout and the published one.

python -m kg.store info --store embeddings.h5
python -m kg.store get C0000294 --store embeddings.h5
python -m kg.store nearest arachnodactyly --store embeddings.h5 --concepts concepts.parquet
python -m kg.store import word2embed.h5 --store embeddings.h5 --concepts concepts.parquet
python -m kg.store export word2embed.h5 --store embeddings.h5
"""

import json
import logging
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from pydantic import Field
from pydantic_settings import CliApp, CliPositionalArg, CliSubCommand

from kg.graph.tables import read_concepts
from kg.shared.command import Command, main
from kg.shared.errors import InputError
from kg.store.nearest import concept_meant, nearest
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

    cui: CliPositionalArg[str]
    store: Path = Field(description="the store")

    def run(self) -> None:
        """Write the vector to stdout."""
        _show(EmbeddingStore(self.store).get([self.cui])[0].tolist())


class Nearest(Command):
    """The nearest concepts to one, given by id or name: cui, name, cosine, TAB-separated."""

    concept: CliPositionalArg[str]
    store: Path = Field(description="the store")
    concepts: Path | None = Field(
        None, description="concepts.parquet of the store, to ask by a name and to show names"
    )
    count: int = Field(10, ge=1, description="how many")

    def run(self) -> None:
        """Write one line a concept to stdout, best first."""
        store = EmbeddingStore(self.store)
        table = None
        names: dict[str, str] = {}
        if self.concepts is not None:
            table = read_concepts(self.concepts)
            store.check(table)
            names = dict(table.select("cui", "name").iter_rows())
        cui = concept_meant(self.concept, store, table)
        for other, similarity in nearest(store, cui, self.count):
            sys.stdout.write(f"{other}\t{names.get(other, '')}\t{similarity:.4f}\n")


class Import(Command):
    """A published word2embed_*.h5 file to a store."""

    file: CliPositionalArg[Path]
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

    file: CliPositionalArg[Path]
    store: Path = Field(description="the store to read")

    def run(self) -> None:
        """Read the store and write the file."""
        write_published(self.file, EmbeddingStore(self.store))


class StoreCommand(Command):
    """Look into an embedding store, import and export it."""

    info: CliSubCommand[Info]
    get: CliSubCommand[Get]
    nearest: CliSubCommand[Nearest]
    import_: CliSubCommand[Import] = Field(alias="import")
    export: CliSubCommand[Export]

    def run(self) -> None:
        """Run the chosen subcommand."""
        CliApp.run_subcommand(self)


def _show(value: Any) -> None:
    sys.stdout.write(json.dumps(value, indent=None if isinstance(value, list) else 2) + "\n")


if __name__ == "__main__":
    main(StoreCommand)
