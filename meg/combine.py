"""Two runs' scores as one answer: an LLM's and a similarity's, say.

Scores of a question are centred, brought to the spread that they have over the dev questions, and
added. The weight is the one that answers the dev questions best, so it has seen no test question.
"""

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from pydantic import Field

from kg.shared.command import Command, main
from kg.shared.errors import InputError
from meg.evaluation.prediction import Prediction, read_predictions, write_predictions, write_run

__all__ = ["WEIGHTS", "combine", "fit_weight"]

WEIGHTS = tuple(i / 20 for i in range(21))
"""Of the second run, from none of it to nothing else."""

log = logging.getLogger(__name__)

Runs = tuple[Sequence[Prediction], Sequence[Prediction]]
"""The same questions, answered by both."""


def fit_weight(dev: Runs) -> tuple[float, tuple[float, float]]:
    """The weight of the second run, and the spread of each run's scores.

    Of several that answer as many right, the one in their middle.
    """
    scores = [_centred(run) for run in _paired(dev)]
    spreads = tuple(float(np.concatenate(run).std()) or 1.0 for run in scores)
    right = [
        sum(
            int(_sum(one, other, weight, spreads).argmax()) == row.answer
            for one, other, row in zip(*scores, dev[0], strict=True)
        )
        for weight in WEIGHTS
    ]
    best = [weight for weight, count in zip(WEIGHTS, right, strict=True) if count == max(right)]
    return best[len(best) // 2], (spreads[0], spreads[1])


def combine(test: Runs, weight: float, spreads: tuple[float, float]) -> list[Prediction]:
    """The answers of both together, in the first run's order."""
    paired = _paired(test)
    sums = [
        _sum(one, other, weight, spreads)
        for one, other in zip(*(_centred(run) for run in paired), strict=True)
    ]
    return [
        row.model_copy(
            update={
                "prediction": int(scores.argmax()),
                "scores": tuple(float(score) for score in scores),
                "text": "",
            }
        )
        for row, scores in zip(paired[0], sums, strict=True)
    ]


def _sum(
    one: np.ndarray, other: np.ndarray, weight: float, spreads: tuple[float, ...]
) -> np.ndarray:
    return (1 - weight) * one / spreads[0] + weight * other / spreads[1]


def _centred(run: Sequence[Prediction]) -> list[np.ndarray]:
    """Each question's scores; all alike where a run has none: it says nothing then."""
    return [
        np.zeros(1) if row.scores is None else np.array(row.scores) - np.mean(row.scores)
        for row in run
    ]


def _paired(runs: Runs) -> Runs:
    """Both runs in the order of the first; raises InputError unless they answer the same."""
    by_id = {row.id: row for row in runs[1]}
    for row in runs[0]:
        other = by_id.get(row.id)
        if other is None or other.answer != row.answer:
            raise InputError(
                f"question {row.id} is not in both runs with the same right option; give two runs "
                "on the same questions"
            )
        sizes = {len(one.scores) for one in (row, other) if one.scores is not None}
        if row.scores is None or len(sizes) > 1:
            raise InputError(
                f"question {row.id} has no scores of the same options in both runs; combine runs "
                "that were scored (predict.method likelihood)"
            )
    return runs[0], [by_id[row.id] for row in runs[0]]


class CombineCommand(Command):
    """Add two runs' scores, with the weight that does best on the dev questions."""

    runs: tuple[Path, Path] = Field(
        description="predictions of both on the test questions: the option twice"
    )
    dev: tuple[Path, Path] = Field(description="predictions of both on the dev questions, alike")
    out: Path = Field(description="predictions, JSON lines")

    def run(self) -> None:
        """Read both, choose the weight, write the answers."""
        test, dev = (
            (read_predictions(one), read_predictions(other)) for one, other in (self.runs, self.dev)
        )
        weight, spreads = fit_weight(dev)
        predictions = combine(test, weight, spreads)
        write_predictions(self.out, predictions)
        made = {"weight": weight, "spreads": spreads, "dev_questions": len(dev[0])}
        write_run(self.out, self.model_dump(mode="json") | made)
        right = sum(row.right for row in predictions)
        log.info("%d of %d right, the second run weighs %.2f", right, len(predictions), weight)


if __name__ == "__main__":
    main(CombineCommand)
