"""What a checkpoint was trained to be asked, as `meg.json` keeps it, and whether it is asked so."""

import math
from collections import defaultdict
from collections.abc import Sequence
from itertools import takewhile

from pydantic import Field, FiniteFloat

from kg.shared.command import Section
from meg.datasets.question import Question

__all__ = ["Calibration", "Trained"]

LEAST_WORDS = 2
"""Questions of a kind that share fewer first words are in free wording."""

SHOWN = 200
"""Characters of an example."""


class Calibration(Section):
    """Score of a single option -> probability that it is right (Platt scaling, see `calibrate`)."""

    slope: FiniteFloat = Field(gt=0, description="logits a unit of the score")
    intercept: FiniteFloat = Field(description="logit at score 0")
    claims: int = Field(ge=1, description="options it was fitted on, half of them right")

    def probability(self, score: float) -> float:
        """That the option is right, were as many options right as wrong."""
        return 1 / (1 + math.exp(-max(-700.0, self.slope * score + self.intercept)))


class Trained(Section):
    """The questions of Phase II, in short."""

    objective: str = Field(description="config.objective: how their options were learned")
    examples: tuple[str, ...] = Field(description="the first question of each kind")
    openings: tuple[str, ...] = Field(
        description="the words that all questions of a kind begin with; empty: in free wording"
    )
    labels: tuple[str, ...] = Field(description="the options, where all questions had the same")
    calibration: Calibration | None = Field(
        None, description="of one option's score; null: it was not calibrated"
    )

    @classmethod
    def on(
        cls, questions: Sequence[Question], objective: str, calibration: Calibration | None
    ) -> "Trained":
        """Of the training questions, one at least."""
        kinds: defaultdict[str, list[list[str]]] = defaultdict(list)
        for question in questions:
            kinds[question.kind].append(question.stem.split())
        firsts = [" ".join(stems[0])[:SHOWN] for _, stems in sorted(kinds.items())]
        shared = [_shared(stems) for _, stems in sorted(kinds.items())]
        free = any(len(words) < LEAST_WORDS for words in shared) or 1 in map(len, kinds.values())
        options = {question.options for question in questions}
        return cls(
            objective=objective,
            examples=tuple(firsts),
            openings=() if free else tuple(dict.fromkeys(" ".join(words) for words in shared)),
            labels=options.pop() if len(options) == 1 else (),
            calibration=calibration,
        )

    def otherwise(self, text: str, options: Sequence[str]) -> str | None:
        """In what a question differs from those of the training; None where in nothing known."""
        asked = " ".join(text.split()).casefold()
        if self.openings and not any(asked.startswith(one.casefold()) for one in self.openings):
            return f"on questions in other words, such as {self.examples[0]!r}"
        if self.labels and len(options) > 1 and {*options} - {*self.labels}:
            return f"to choose among {', '.join(self.labels)}"
        return None


def _shared(stems: Sequence[Sequence[str]]) -> list[str]:
    """The words that all begin with."""
    alike = takewhile(lambda words: len(set(words)) == 1, zip(*stems, strict=False))
    return [words[0] for words in alike]
