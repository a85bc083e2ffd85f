"""Predictions to the result: how often right, how sure that is, and against which other runs.

A question without a readable answer is wrong and stays in the denominator. Comparisons are
paired: the same questions answered by both runs, or the comparison is refused.
"""

import logging
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field

from kg.artefact import file_digest, write_json
from kg.command import Command, main
from kg.errors import InputError
from meg import statistics
from meg.prediction import Prediction, read_predictions, read_run

__all__ = ["compare", "score"]

SEED = 0
"""Of the bootstrap: scoring the same predictions twice gives the same intervals."""

log = logging.getLogger(__name__)


def score(predictions: list[Prediction]) -> dict[str, Any]:
    """Accuracy with intervals, over all questions and by kind, and what else describes a run.

    `macro_f1` is there where all questions have the same number of options; it means something
    for fixed labels (yes/no/maybe), not for positions. `calibration_error` needs every score.
    """
    right = _right(predictions)
    kinds = _by_kind(predictions)
    result = _accuracy(right) | {
        "unanswered": sum(row.prediction is None for row in predictions),
        "shortened": sum(row.shortened for row in predictions),
        "concepts": float(np.mean([len(row.concepts) for row in predictions])),
        "kinds": {kind: _accuracy(_right(rows)) for kind, rows in kinds.items()},
        "macro_accuracy": float(np.mean([_right(rows).mean() for rows in kinds.values()])),
        "classes": _classes(predictions),
        "position_bias": statistics.position_bias(
            [row.answer for row in predictions], [row.prediction for row in predictions]
        ),
        "macro_f1": statistics.macro_f1(
            [row.answer for row in predictions], [row.prediction for row in predictions]
        ),
    }
    scores = [row.scores for row in predictions if row.scores is not None]
    if len(scores) == len(predictions):
        result["calibration_error"] = statistics.calibration_error(scores, right)
    return result


def compare(predictions: list[Prediction], other: list[Prediction], name: str) -> dict[str, Any]:
    """How much better `predictions` are than those of the run `name` on the same questions.

    Raises InputError unless both hold the same ids with the same right answers.
    """
    answers = {row.id: row.answer for row in predictions}
    theirs = {row.id: row.answer for row in other}
    differing = [id for id in answers | theirs if answers.get(id) != theirs.get(id)]
    if differing:
        raise InputError(
            f"{len(differing)} questions differ from those of {name} (first {differing[0]}; "
            f"{len(answers)} here, {len(theirs)} there); predict both runs on the same file"
        )
    by_id = {row.id: row for row in other}
    right, before = _right(predictions), _right([by_id[row.id] for row in predictions])
    return {
        "accuracy": float(before.mean()),
        "wilson": statistics.wilson(before),
        "difference": float(right.mean() - before.mean()),
        "interval": statistics.paired_bootstrap(right, before, np.random.default_rng(SEED)),
        "gained": int((right & ~before).sum()),
        "lost": int((before & ~right).sum()),
        "mcnemar_p": statistics.mcnemar(right, before),
    }


def _right(predictions: list[Prediction]) -> np.ndarray:
    return np.array([row.prediction == row.answer for row in predictions], dtype=bool)


def _accuracy(right: np.ndarray) -> dict[str, Any]:
    return {
        "accuracy": float(right.mean()),
        "wilson": statistics.wilson(right),
        "bootstrap": statistics.bootstrap(right, np.random.default_rng(SEED)),
        "n": len(right),
        "right": int(right.sum()),
    }


def _by_kind(predictions: list[Prediction]) -> dict[str, list[Prediction]]:
    kinds = sorted({row.kind for row in predictions})
    return {kind: [row for row in predictions if row.kind == kind] for kind in kinds}


def _classes(predictions: list[Prediction]) -> dict[str, dict[str, int]]:
    """Option -> how often it is right, chosen, both."""
    right = Counter(row.answer for row in predictions)
    chosen = Counter(row.prediction for row in predictions)
    both = Counter(row.answer for row in predictions if row.answer == row.prediction)
    options = sorted(set(right) | {option for option in chosen if option is not None})
    return {
        str(option): {"right": right[option], "chosen": chosen[option], "both": both[option]}
        for option in options
    }


class ScoreCommand(Command):
    """Predictions to a result JSON, compared with other runs on the same questions."""

    predictions: Path = Field(description="JSON lines that meg.predict wrote")
    out: Path = Field(description="the result JSON")
    compare: dict[str, Path] = Field(
        {}, description="other runs' predictions: name=path, as often as there are runs"
    )
    about: dict[str, str] = Field(
        {}, description="what the run is, copied: dataset=..., variant=..., seed=..."
    )

    def run(self) -> None:
        """Read the predictions, score and compare them, write the result."""
        predictions = read_predictions(self.predictions)
        result = {"about": self.about, **score(predictions)}
        result["comparisons"] = {
            name: compare(predictions, read_predictions(path), name)
            | {"run": read_run(path), "digest": file_digest(path)}
            for name, path in self.compare.items()
        }
        result["run"] = read_run(self.predictions)
        result["digest"] = file_digest(self.predictions)
        write_json(self.out, result)
        log.info("%d of %d right: %s", result["right"], result["n"], self.out)


if __name__ == "__main__":
    main(ScoreCommand)
