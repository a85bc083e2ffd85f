"""An LLM's Yes or No to each of the likeliest diseases, added to the score that chose them."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from kg.graph.information import Information
from kg.shared.errors import InputError
from meg.config import PredictConfig, RankConfig
from meg.datasets.question import Question
from meg.datasets.vignette import Case, question_fields
from meg.inference.answer import predict
from meg.inference.diagnosis import Candidates, Diseases, added, best
from meg.model.network import ConceptLM
from meg.model.reader import Reader
from meg.model.record import Record, check_store
from meg.prompts.tokens import Tokens
from meg.prompts.vectors import Vectors

__all__ = ["Judge", "misfit"]


def misfit(record: Record) -> str | None:
    """Why a checkpoint cannot judge candidates one by one; None where it can."""
    prompt = record.prompt
    if prompt is None:
        return "has learned no questions (it is of Phase I)"
    if prompt.answer != "yesno" or prompt.list_options:
        return f"chooses among listed options (prompt.answer {prompt.answer})"
    stem = question_fields(Case(()), (), {})["stem"]
    if record.trained is not None and (how := record.trained.otherwise(stem, ())) is not None:
        return f"was trained {how}"
    return None


class Judge:
    """A checkpoint that judges each option by itself; it should be trained on patients.

    `model`: what `meg.model.checkpoint.load` gives. Raises InputError for one that does not judge
    so, or that was trained with another store than that of `vectors`.
    """

    def __init__(
        self, model: tuple[ConceptLM, Tokens, Record], vectors: Vectors | None, config: RankConfig
    ) -> None:
        network, tokens, record = model
        if (reason := misfit(record)) is not None:
            raise InputError(
                f"the checkpoint cannot judge {config.candidates} diseases: it {reason}; give one "
                "trained on patients (config/patients.yaml), or none"
            )
        assert record.prompt is not None
        # What the graph adds to a question only stands in those that passed meg.neighbours.
        # Its length is meant for a few options, and here are `candidates` of them.
        longest = record.prompt.max_tokens * config.candidates
        update = {"parents": 0, "triplets": 0, "max_tokens": longest}
        self.prompt = record.prompt.model_copy(update=update)
        # A text-only model takes none.
        given = vectors if vectors is not None and record.store else Vectors(None)
        check_store(record, given.store)
        self.reader = Reader(network, tokens, given)
        self.config = config

    def judged(
        self, diseases: Diseases, cases: Sequence[Case], candidates: Sequence[Candidates]
    ) -> list[Candidates]:
        """The candidates of each case by their own score and the LLM's together."""
        questions = [
            self._question(str(i), self._told(case, diseases.information), diseases, one.places)
            for i, (case, one) in enumerate(zip(cases, candidates, strict=True))
        ]
        answers = predict(self.reader, questions, self.prompt, PredictConfig())
        judged = []
        for one, answer in zip(candidates, answers, strict=True):
            sums = added(one.scores, np.array(answer.scores), self.config.llm_weight)
            order = best(sums, len(sums))
            judged.append(Candidates(one.places[order.places], order.scores))
        return judged

    def _question(self, id: str, case: Case, diseases: Diseases, places: np.ndarray) -> Question:
        options = [diseases.cuis[place] for place in places.tolist()]
        # Which one is right is no matter: all are scored.
        return Question(id=id, answer=0, **question_fields(case, options, diseases.names))

    def _told(self, case: Case, information: Information) -> Case:
        """As much as a question of the training tells: the findings with the most information."""
        content = [information.content[information.node[cui]] for cui in case.findings]
        most = np.argsort(-np.array(content), kind="stable")[: self.config.findings]
        findings = tuple(case.findings[i] for i in sorted(most.tolist()))
        return replace(case, findings=findings, absent=case.absent[: self.config.absent])
