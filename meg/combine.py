"""Several runs' scores as one answer: an LLM's and similarities', or these alone.

Scores of a question are centred, brought to the spread that they have over the dev questions, and
added. The weights are those that answer the dev questions best, so they have seen no test question.
"""

import logging
from collections.abc import Sequence
from itertools import product
from pathlib import Path

import numpy as np
from pydantic import Field, model_validator

from kg.shared.command import Command, main
from kg.shared.errors import InputError
from meg.evaluation.prediction import Prediction, read_predictions, write_predictions, write_run

__all__ = ["STEPS", "combine", "fit_weights"]

STEPS = 20
"""Weights are so many parts of one, given to the runs in every way."""

log = logging.getLogger(__name__)

Runs = Sequence[Sequence[Prediction]]
"""The same questions, answered by each run."""

Numbers = tuple[float, ...]
"""One a run."""


def fit_weights(dev: Runs) -> tuple[Numbers, Numbers]:
    """The runs' weights, which add up to 1, and the spread of each run's scores.

    Of weights that answer as many right, those nearest to the mean of them all.
    """
    centred = [_centred(run) for run in _paired(dev)]
    spreads = tuple(float(np.concatenate(run).std()) or 1.0 for run in centred)
    weights = _every_weight(len(dev))
    right = np.zeros(len(weights), dtype=int)
    for row, *scores in zip(dev[0], *centred, strict=True):
        right += _sum(scores, weights, spreads).argmax(axis=1) == row.answer
    best = weights[right == right.max()]
    chosen = best[np.abs(best - best.mean(axis=0)).sum(axis=1).argmin()]
    return tuple(chosen.tolist()), spreads


def combine(test: Runs, weights: Sequence[float], spreads: Sequence[float]) -> list[Prediction]:
    """The answers of all together, in the first run's order; unanswered where none has scores."""
    paired = _paired(test)
    predictions = []
    for row, *scores in zip(paired[0], *map(_centred, paired), strict=True):
        sums = _sum(scores, np.array([weights]), spreads)[0]
        answered = len(sums) > 1
        update = {
            "prediction": int(sums.argmax()) if answered else None,
            "scores": tuple(sums.tolist()) if answered else None,
            "text": "",
        }
        predictions.append(row.model_copy(update=update))
    return predictions


def _every_weight(runs: int) -> np.ndarray:
    """Every way to share 1 among the runs, (way, run) float."""
    first = np.array(list(product(range(STEPS + 1), repeat=runs - 1)))
    first = first[first.sum(axis=1) <= STEPS]
    return np.column_stack([first, STEPS - first.sum(axis=1)]) / STEPS


def _sum(scores: Sequence[np.ndarray], weights: np.ndarray, spreads: Sequence[float]) -> np.ndarray:
    """Scores of a question's options by each weighting, (weighting, option) float."""
    of_runs = zip(weights.T, scores, spreads, strict=True)
    weighted = (np.outer(weight, one / spread) for weight, one, spread in of_runs)
    return sum(weighted, np.zeros((len(weights), 1)))


def _centred(run: Sequence[Prediction]) -> list[np.ndarray]:
    """Each question's scores; all alike where a run has none: it says nothing then."""
    return [
        np.zeros(1) if row.scores is None else np.array(row.scores) - np.mean(row.scores)
        for row in run
    ]


def _paired(runs: Runs) -> Runs:
    """All runs in the order of the first; raises InputError unless they answer the same."""
    by_id = [{row.id: row for row in run} for run in runs]
    for place, run in enumerate(runs):
        if all(row.scores is None for row in run):
            raise InputError(
                f"run {place + 1} has no scores of the options; combine runs that were scored "
                "(predict.method likelihood)"
            )
    for row in runs[0]:
        rows = [one.get(row.id) for one in by_id]
        if any(other is None or other.answer != row.answer for other in rows):
            raise InputError(
                f"question {row.id} is not in all runs with the same right option; give runs on "
                "the same questions"
            )
        sizes = {len(one.scores) for one in rows if one and one.scores is not None}
        if len(sizes) > 1:
            raise InputError(
                f"question {row.id} has scores of {' and of '.join(map(str, sorted(sizes)))} "
                "options; give runs on the same questions"
            )
    return [[one[row.id] for row in runs[0]] for one in by_id]


class CombineCommand(Command):
    """Add several runs' scores, with the weights that do best on the dev questions."""

    runs: list[Path] = Field(
        min_length=2, description="predictions on the test questions: the option once a run"
    )
    dev: list[Path] = Field(description="their predictions on the dev questions, in this order")
    out: Path = Field(description="predictions, JSON lines")

    @model_validator(mode="after")
    def _paired(self) -> "CombineCommand":
        if len(self.runs) != len(self.dev):
            raise ValueError(f"dev: {len(self.dev)} files, expected one a run, {len(self.runs)}")
        return self

    def run(self) -> None:
        """Read all, choose the weights, write the answers."""
        test, dev = ([read_predictions(path) for path in paths] for paths in (self.runs, self.dev))
        weights, spreads = fit_weights(dev)
        predictions = combine(test, weights, spreads)
        write_predictions(self.out, predictions)
        made = {"weights": weights, "spreads": spreads, "dev_questions": len(dev[0])}
        write_run(self.out, self.model_dump(mode="json") | made)
        right = sum(row.right for row in predictions)
        told = ", ".join(f"{weight:.2f}" for weight in weights)
        log.info("%d of %d right, the runs weigh %s", right, len(predictions), told)


if __name__ == "__main__":
    main(CombineCommand)
