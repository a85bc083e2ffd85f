"""What the graph says of the concepts in a question: parents, and triplets as text.

grounded questions + concepts + triplets -> the same questions with `neighbours`. Prompts that
show neither do not need this stage.
"""

import logging
from collections.abc import Iterable
from pathlib import Path

import polars as pl
from pydantic import Field
from pydantic_settings import CliPositionalArg

from kg.graph.facts import facts_of
from kg.graph.tables import parents_of, read_concepts, read_parents, read_triplets
from kg.shared.command import Command, main
from meg.datasets.question import Neighbours, Question, read_questions, write_questions

__all__ = ["neighbours_of", "with_neighbours"]

MOST = 8
"""Parents, and triplets, that are kept of a concept; prompts show at most as many."""

log = logging.getLogger(__name__)


def neighbours_of(
    cuis: Iterable[str],
    concepts: pl.DataFrame,
    triplets: pl.DataFrame,
    parents: pl.DataFrame | None = None,
) -> dict[str, Neighbours]:
    """Parents and triplets of each concept that has some, the rarest neighbours first.

    `parents` (cui, values) is a source's own list; without it they are tails of `is_a`.
    """
    asked = pl.DataFrame({"cui": sorted(set(cuis))}, {"cui": pl.String})
    if parents is None:
        parents = parents_of(triplets)
    own = asked.join(parents, on="cui").select("cui", pl.col("values").list.head(MOST))
    above = dict(own.iter_rows())
    told = facts_of(asked["cui"], concepts, triplets, MOST)
    facts = dict(told.group_by("cui", maintain_order=True).agg("fact").iter_rows())
    return {
        cui: Neighbours(parents=above.get(cui, ()), triplets=facts.get(cui, ()))
        for cui in asked["cui"]
        if cui in above or cui in facts
    }


def with_neighbours(question: Question, known: dict[str, Neighbours]) -> Question:
    """The question with what is known of the concepts that it may name."""
    cuis = sorted({c.cui for mention in question.all_mentions for c in mention.candidates})
    found = {cui: known[cui] for cui in cuis if cui in known}
    return question.model_copy(update={"neighbours": found})


class NeighboursCommand(Command):
    """Add to grounded questions what the graph says of their concepts."""

    concepts: Path = Field(description="concepts.parquet")
    triplets: Path = Field(description="triplets.parquet of the same concepts")
    parents: Path | None = Field(
        None, description="parents.parquet of kg.release; without, parents are tails of is_a"
    )
    out: Path = Field(description="folder for the questions, under their own names")
    questions: CliPositionalArg[list[Path]] = Field(description="grounded questions, JSON lines")

    def run(self) -> None:
        """Read the graph once, add its neighbours to every file."""
        parents = None if self.parents is None else read_parents(self.parents)
        files = {path: list(read_questions(path)) for path in self.questions}
        mentions = [m for file in files.values() for q in file for m in q.all_mentions]
        cuis = {candidate.cui for mention in mentions for candidate in mention.candidates}
        triplets = read_triplets(self.triplets)
        known = neighbours_of(cuis, read_concepts(self.concepts), triplets, parents)
        for path, questions in files.items():
            write_questions(
                self.out / path.name, (with_neighbours(one, known) for one in questions)
            )
        log.info("%d of %d concepts have neighbours", len(known), len(cuis))


if __name__ == "__main__":
    main(NeighboursCommand)
