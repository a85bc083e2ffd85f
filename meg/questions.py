"""A data set to `train.jsonl`, `dev.jsonl` and `test.jsonl` of one schema.

Nothing is dropped silently: `summary.json` names every item that could not be used and every
question that stands in two splits or twice in one; the latter are kept as published.
"""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import Field

from kg.graph.annotations import AnnotatedGraph
from kg.graph.tables import read_concepts, read_triplets
from kg.shared.artefact import file_digest, write_json
from kg.shared.command import Command, main
from kg.shared.errors import InputError
from kg.store import EmbeddingStore
from meg.datasets import medmcqa, medqa, mmlu, own, patients, pubmedqa, quiz
from meg.datasets.question import write_questions
from meg.datasets.settings import GraphQuizConfig, HPOQuizConfig, PatientsConfig, QuestionsConfig
from meg.datasets.splits import NAMES, Splits
from meg.datasets.summary import summarise

log = logging.getLogger(__name__)

READERS: dict[str, Callable[[Any], Splits]] = {
    "file": own.read,
    "medmcqa": medmcqa.read,
    "medqa": medqa.read,
    "mmlu": mmlu.read,
    "pubmedqa": pubmedqa.read,
}


class QuestionsCommand(Command):
    """A data set to train.jsonl, dev.jsonl, test.jsonl and summary.json."""

    out: Path = Field(description="folder for the three splits and the summary")
    config: QuestionsConfig = Field(description="section `questions` of a data set")
    concepts: Path | None = Field(None, description="concepts.parquet, for a quiz")
    triplets: Path | None = Field(None, description="triplets.parquet, for a quiz")
    graph: Path | None = Field(None, description="folder that kg.hpo wrote, for patients")
    features: Path | None = Field(
        None, description="features.h5 of the names, for a quiz; without it letters are compared"
    )

    def run(self) -> None:
        """Read or make the data set, write it with its summary."""
        if isinstance(self.config, HPOQuizConfig | GraphQuizConfig):
            splits = self._quiz(self.config)
        elif isinstance(self.config, PatientsConfig):
            splits = self._patients(self.config)
        else:
            splits = READERS[self.config.source](self.config)
        if not splits.test:
            reasons = [f"{one.id}: {one.reason}" for one in splits.problems[:1]] or ["it is empty"]
            where = getattr(self.config, "path", None)
            raise InputError(
                f"{where or self.config.source} has no test question that can be asked "
                f"({reasons[0]}); mend it, or name other questions by questions.path"
            )
        for name, questions in splits:
            write_questions(self.out / f"{name}.jsonl", questions)
        summary = summarise(splits)
        digests = {name: file_digest(self.out / f"{name}.jsonl") for name in NAMES}
        config = self.config.model_dump(mode="json")
        write_json(self.out / "summary.json", summary | {"config": config, "digests": digests})
        _tell(summary)

    def _quiz(self, config: HPOQuizConfig | GraphQuizConfig) -> Splits:
        if self.concepts is None or self.triplets is None:
            raise InputError(
                f"{config.source} is made from a graph: give --concepts and --triplets"
            )
        concepts = read_concepts(self.concepts)
        vectors = None
        if self.features is not None:
            store = EmbeddingStore(self.features)
            store.check(concepts)
            vectors = store.embedding
        return quiz.build(config, concepts, read_triplets(self.triplets), vectors)

    def _patients(self, config: PatientsConfig) -> Splits:
        if self.graph is None:
            raise InputError("patients are asked about by a graph of kg.hpo: give its --graph")
        return patients.read(config, AnnotatedGraph.read(self.graph))


def _tell(summary: dict[str, Any]) -> None:
    for name, counts in summary["splits"].items():
        log.info("%s: %d questions", name, counts["questions"])
    for problem in summary["problems"]:
        log.warning("%s %s: %s", problem["split"], problem["id"], problem["reason"])
    left_out = sum(not problem["kept"] for problem in summary["problems"])
    log.info("%d items could not be used", left_out)
    for splits, groups in summary["duplicates"].items():
        log.warning("%s: %d questions stand more than once", splits, len(groups))


if __name__ == "__main__":
    main(QuestionsCommand)
