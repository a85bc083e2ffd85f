"""Answers without an LLM: how alike a question's concepts are to each option's.

What a model is worth shows beside what its inputs tell by themselves. Three measures: `vectors`,
the cosine of the vectors that a model gets, those of a question's text as one; `text`, the same
with the text features of the names; `information`, how much the findings tell of a disease
(`kg.graph.information`). The answers are predictions like a model's, for `meg.score`.
"""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import Field

from kg.graph.information import Information
from kg.graph.tables import read_concepts, read_triplets
from kg.linking.mention import Mention
from kg.shared.command import Command, main
from kg.shared.errors import InputError
from kg.store import EmbeddingStore
from meg.datasets.question import Question, read_questions
from meg.evaluation.prediction import Prediction, write_predictions, write_run
from meg.prompts.vectors import Vectors

__all__ = ["Likeness", "by_information", "by_vectors", "likest"]

Likeness = Callable[[Sequence[str], Sequence[str]], list[float | None]]
"""Concepts of a question, then a concept of each option, "" where it names none -> how alike, None
where that cannot be said."""

log = logging.getLogger(__name__)


def by_vectors(vectors: Vectors) -> Likeness:
    """Cosine of the question's concepts together, and of each option's."""

    def likeness(asked: Sequence[str], options: Sequence[str]) -> list[float | None]:
        known = tuple(cui for cui in asked if vectors.known(cui))
        own = [cui for cui in options if vectors.known(cui)]
        if not known or not own:
            return [None] * len(options)
        one, *others = vectors([known, *own])
        cosines = {
            cui: float(one @ other / (np.linalg.norm(one) * np.linalg.norm(other) or 1))
            for cui, other in zip(own, others, strict=True)
        }
        return [cosines.get(cui) for cui in options]

    return likeness


def by_information(information: Information) -> Likeness:
    """Similarity of the question's findings and of each option, a disease."""

    def likeness(asked: Sequence[str], options: Sequence[str]) -> list[float | None]:
        similarity = information.similarity([cui for cui in asked if cui in information.node])
        return [
            float(similarity[information.row(cui)]) if information.has(cui) else None
            for cui in options
        ]

    return likeness


def likest(questions: Sequence[Question], likeness: Likeness) -> list[Prediction]:
    """The option most like each question; unanswered where no option can be compared.

    An option that cannot be compared has the least score of its question.
    """
    return [_answer(question, likeness) for question in questions]


def _answer(question: Question, likeness: Likeness) -> Prediction:
    mentions = question.mentions
    if mentions is None:
        raise InputError(f"question {question.id} was never grounded; run kg.link on the file")
    asked = list(dict.fromkeys(_best((*mentions.context, *mentions.stem))))
    options = [next(iter(_best(option)), "") for option in mentions.options]
    found = likeness(asked, options)
    known = [score for score in found if score is not None]
    scores = tuple(min(known) if score is None else score for score in found) if known else None
    return Prediction(
        id=question.id,
        kind=question.kind,
        answer=question.answer,
        prediction=int(np.argmax(scores)) if scores else None,
        scores=scores,
        concepts=tuple(asked),
    )


def _best(mentions: Sequence[Mention]) -> list[str]:
    return [mention.candidates[0].cui for mention in mentions if mention.candidates]


class SimilarityCommand(Command):
    """Answer questions by what is most alike, without an LLM."""

    questions: Path = Field(description="grounded questions, JSON lines")
    method: Literal["vectors", "text", "information"] = Field(description="what is compared")
    store: Path | None = Field(None, description="embeddings.h5 for vectors, features.h5 for text")
    concepts: Path | None = Field(None, description="concepts.parquet, for information")
    triplets: Path | None = Field(None, description="triplets.parquet, for information")
    out: Path = Field(description="predictions, JSON lines")

    def run(self) -> None:
        """Read the questions, answer them, write the predictions."""
        predictions = likest(list(read_questions(self.questions)), self._likeness())
        if not predictions:
            raise InputError(f"{self.questions} has no questions; run meg.questions again")
        write_predictions(self.out, predictions)
        write_run(self.out, self.model_dump(mode="json"))
        right = sum(prediction.right for prediction in predictions)
        log.info("%d of %d right by %s", right, len(predictions), self.method)

    def _likeness(self) -> Likeness:
        if self.method == "information":
            if self.concepts is None or self.triplets is None:
                raise InputError("--method information: give --concepts and --triplets")
            tables = read_concepts(self.concepts), read_triplets(self.triplets)
            return by_information(Information(*tables))
        if self.store is None:
            raise InputError(f"--method {self.method}: give --store")
        return by_vectors(Vectors(EmbeddingStore(self.store)))


if __name__ == "__main__":
    main(SimilarityCommand)
