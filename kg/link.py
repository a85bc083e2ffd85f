"""Text to concepts: build a linker of the concepts' names, fit and evaluate it, run it.

`kg.link build` makes it, `kg.link run` grounds questions with it, `kg.link fit` learns from a
corpus which names are mentions, `kg.link evaluate` scores a linker on one. How they fit together:
docs/explanation/linking.md.
"""

import json
import logging
import sys
from collections.abc import Iterable
from pathlib import Path

import polars as pl
from pydantic import Field
from pydantic_settings import CliApp, CliPositionalArg, CliSubCommand
from tqdm import tqdm

from kg.config import LinkConfig
from kg.graph.tables import concepts_digest, read_concepts
from kg.linking.accept import read_accept, write_accept
from kg.linking.build import build_dictionary, keep_concepts
from kg.linking.corpus import held_out, read_corpus
from kg.linking.dictionary import read_priors, write_dictionary, write_priors
from kg.linking.evaluate import evaluate, scores_table
from kg.linking.linker import Linker
from kg.linking.normalise import keys_of
from kg.linking.records import Tally, ground, read_records, write_records
from kg.linking.scispacy import ScispacyLinker, load_scispacy
from kg.shared.artefact import file_digest, write_json
from kg.shared.command import Command, main
from kg.shared.errors import InputError
from kg.store import EmbeddingStore

__all__ = ["Linker"]

log = logging.getLogger(__name__)


class Build(Command):
    """Make a linker's folder from the names of the concepts."""

    concepts: Path = Field(description="concepts.parquet")
    store: Path | None = Field(None, description="embeddings.h5: link only concepts that it has")
    priors: Path | None = Field(None, description="priors.parquet made by `kg.link fit`")
    accept: Path | None = Field(None, description="accept.npz made by `kg.link fit --accept`")
    out: Path = Field(description="folder of the linker")
    config: LinkConfig = Field(LinkConfig(), description="section `link` of the configuration")

    def run(self) -> None:
        """Build the dictionary and write the linker folder."""
        concepts = read_concepts(self.concepts)
        cuis = None
        if self.store is not None:
            cuis = [cui.decode() for cui in EmbeddingStore(self.store).cuis]
        kept = keep_concepts(concepts, self.config, cuis)
        priors = None if self.priors is None else read_priors(self.priors)
        accept = None if self.accept is None else read_accept(self.accept)
        dictionary, counts = build_dictionary(kept, self.config, priors)
        about = {
            "config": self.config.model_dump(mode="json"),
            "concepts": concepts_digest(kept["cui"]),
            "priors": self.priors and file_digest(self.priors),
            "accept": self.accept and file_digest(self.accept),
            "counts": counts,
        }
        write_dictionary(self.out, dictionary, about, accept, near=self.config.approximate < 1)
        log.info("%s: %s", self.out, json.dumps(counts))


class Run(Command):
    """Add to each record of JSON-lines files the mentions of its stem, context and options."""

    linker: Path = Field(description="folder made by `kg.link build`")
    out: Path = Field(description="folder for the grounded files, under their own names")
    scispacy: str | None = Field(
        None, description="link by this scispaCy model (en_core_sci_sm) to the linker's concepts"
    )
    questions: CliPositionalArg[list[Path]] = Field(description="JSON-lines files")

    def run(self) -> None:
        """Link every file; write it, and its summary, under its own name."""
        if len({path.name for path in self.questions}) < len(self.questions):
            raise InputError(f"two of {self.questions} have the same file name; run them apart")
        dictionary = Linker.load(self.linker)
        linker: Linker | ScispacyLinker = dictionary
        if self.scispacy is not None:
            cuis = {cui.decode() for cui in dictionary.dictionary.cui}
            linker = load_scispacy(self.scispacy, cuis)
        for path in self.questions:
            tally = Tally()
            records: Iterable = tqdm(read_records(path), desc=path.name, disable=None)
            write_records(self.out / path.name, ground(records, linker, tally))
            write_json(self.out / f"{path.name}.summary.json", tally.summary())
            log.info("%s: %s", self.out / path.name, json.dumps(tally.summary()))


class Fit(Command):
    """Learn from a corpus which names are mentions, and of what."""

    corpus: Path = Field(description="JSON lines (.gz) of text and mentions: start, end, cui")
    concepts: Path | None = Field(None, description="concepts.parquet whose names are learned too")
    out: Path = Field(description="priors.parquet")
    accept: Path | None = Field(None, description="accept.npz: learn to judge mentions in context")
    held_out: float = Field(0, ge=0, lt=1, description="share of documents left for `evaluate`")
    seed: int = Field(0, ge=0, description="seed of the boosted trees")
    config: LinkConfig = Field(
        LinkConfig(), description="section `link` of the configuration, for the accept model"
    )

    def run(self) -> None:
        """Learn link probabilities from the corpus and write them."""
        # scikit-learn takes a second to import, which the other subcommands need not wait for.
        from kg.linking.fit import fit_folds  # noqa: PLC0415
        from kg.linking.fit_accept import fit_accept  # noqa: PLC0415

        documents, _ = held_out(read_corpus(self.corpus), self.held_out)
        concepts = None if self.concepts is None else read_concepts(self.concepts)
        keys: set[str] = set()
        if concepts is not None:
            names = concepts.select(pl.concat_list("name", "synonyms"))
            keys = {key for name in names.to_series().explode() for key in keys_of(name)} - {""}
        priors, folds = fit_folds(documents, keys, self.seed)
        write_priors(self.out, priors)
        if self.accept is not None:
            accept = fit_accept(documents, folds, concepts, self.seed, self.config)
            write_accept(self.accept, accept)
        log.info("%s: %d names of %d documents", self.out, priors.height, len(documents))


class Evaluate(Command):
    """Score a linker on a corpus's gold mentions."""

    linker: Path = Field(description="folder made by `kg.link build`")
    corpus: Path = Field(description="JSON lines (.gz) of text and mentions: start, end, cui")
    held_out: float = Field(0, ge=0, le=1, description="score this share (0: all), as in `fit`")
    out: Path | None = Field(None, description="the scores as JSON too")

    def run(self) -> None:
        """Link the corpus; write precision, recall and F1 to the standard output."""
        _, documents = held_out(read_corpus(self.corpus), self.held_out or 1)
        scores = evaluate(Linker.load(self.linker), documents)
        sys.stdout.write(f"{len(documents)} documents\n{scores_table(scores)}\n")
        if self.out is not None:
            write_json(self.out, {"documents": len(documents), **scores})


class Link(Command):
    """Text to concepts: a linker is built once, then grounds any number of files."""

    build: CliSubCommand[Build]
    run_: CliSubCommand[Run] = Field(alias="run")
    fit: CliSubCommand[Fit]
    evaluate: CliSubCommand[Evaluate]

    def run(self) -> None:
        """Run the chosen subcommand."""
        CliApp.run_subcommand(self)


if __name__ == "__main__":
    main(Link)
