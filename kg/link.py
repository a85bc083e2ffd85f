"""Text to concepts: `kg.link build` makes a linker of the concepts' names, `kg.link run` grounds
questions with it, `kg.link fit` learns from a corpus which names are mentions, `kg.link evaluate`
scores a linker on one. How they fit together: docs/grounding.md.
"""

import json
import logging
from collections.abc import Iterable
from pathlib import Path

from pydantic import Field
from pydantic_settings import CliApp, CliPositionalArg, CliSubCommand
from tqdm import tqdm

from kg.artefact import write_json
from kg.command import Command, main
from kg.config import LinkConfig
from kg.errors import InputError
from kg.linking.build import build_dictionary, keep_concepts
from kg.linking.dictionary import write_dictionary
from kg.linking.linker import Linker
from kg.linking.records import Tally, ground, read_records, write_records
from kg.store import EmbeddingStore
from kg.tables import concepts_digest, read_concepts

__all__ = ["Linker"]

log = logging.getLogger(__name__)


class Build(Command):
    """Make a linker's folder from the names of the concepts."""

    concepts: Path = Field(description="concepts.parquet")
    store: Path | None = Field(None, description="embeddings.h5: link only concepts that it has")
    out: Path = Field(description="folder of the linker")
    config: LinkConfig = Field(LinkConfig(), description="section `link` of the configuration")

    def run(self) -> None:
        concepts = read_concepts(self.concepts)
        cuis = None
        if self.store is not None:
            cuis = [cui.decode() for cui in EmbeddingStore(self.store).cuis]
        kept = keep_concepts(concepts, self.config, cuis)
        dictionary, counts = build_dictionary(kept, self.config)
        about = {
            "config": self.config.model_dump(mode="json"),
            "concepts": concepts_digest(kept["cui"]),
            "counts": counts,
        }
        write_dictionary(self.out, dictionary, about)
        log.info("%s: %s", self.out, json.dumps(counts))


class Run(Command):
    """Add to each record of JSON-lines files the mentions of its stem, context and options."""

    linker: Path = Field(description="folder made by `kg.link build`")
    out: Path = Field(description="folder for the grounded files, under their own names")
    questions: CliPositionalArg[list[Path]] = Field(description="JSON-lines files")

    def run(self) -> None:
        if len({path.name for path in self.questions}) < len(self.questions):
            raise InputError(f"two of {self.questions} have the same file name; run them apart")
        linker = Linker.load(self.linker)
        for path in self.questions:
            tally = Tally()
            records: Iterable = tqdm(read_records(path), desc=path.name, disable=None)
            write_records(self.out / path.name, ground(records, linker, tally))
            write_json(self.out / f"{path.name}.summary.json", tally.summary())
            log.info("%s: %s", self.out / path.name, json.dumps(tally.summary()))


class Link(Command):
    """Text to concepts."""

    build: CliSubCommand[Build]
    run_: CliSubCommand[Run] = Field(alias="run")

    def run(self) -> None:
        CliApp.run_subcommand(self)


if __name__ == "__main__":
    main(Link)
