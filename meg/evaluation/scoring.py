"""How often predictions are right, how sure that is, and of what kind."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from meg.evaluation import statistics
from meg.evaluation.prediction import Prediction
from meg.evaluation.result import Accuracy, OptionCounts, Scores

__all__ = ["score"]


def score(predictions: list[Prediction], labels: Sequence[str] = ()) -> Scores:
    """Accuracy with its interval, over all questions and by kind, and what else describes a run.

    `labels`, where every question has the same options, names the classes; `macro_f1` means nothing
    for positions.
    """
    right = _right(predictions)
    answers = [row.answer for row in predictions]
    chosen = [row.prediction for row in predictions]
    kinds = _by_kind(predictions)
    scores = [row.scores for row in predictions if row.scores is not None]
    scored = len(scores) == len(predictions)
    return Scores(
        **dict(_accuracy(right)),
        unanswered=chosen.count(None),
        shortened=sum(row.shortened for row in predictions),
        concepts=float(np.mean([len(row.concepts) for row in predictions])),
        kinds={kind: _accuracy(_right(rows)) for kind, rows in kinds.items()},
        macro_accuracy=float(np.mean([_right(rows).mean() for rows in kinds.values()])),
        classes=_classes(answers, chosen, labels),
        position_bias=statistics.position_bias(answers, chosen),
        macro_f1=statistics.macro_f1(answers, chosen) if labels else None,
        calibration_error=statistics.calibration_error(scores, right) if scored else None,
    )


def _right(predictions: list[Prediction]) -> np.ndarray:
    return np.array([row.right for row in predictions])


def _accuracy(right: np.ndarray) -> Accuracy:
    return Accuracy(
        accuracy=float(right.mean()),
        wilson=statistics.wilson(right),
        n=len(right),
        right=int(right.sum()),
    )


def _by_kind(predictions: list[Prediction]) -> dict[str, list[Prediction]]:
    kinds = sorted({row.kind for row in predictions})
    return {kind: [row for row in predictions if row.kind == kind] for kind in kinds}


def _classes(
    answers: list[int], chosen: list[int | None], labels: Sequence[str]
) -> dict[str, OptionCounts]:
    """Option -> how often it is right, chosen, both, and the F1 of these."""
    right, given = Counter(answers), Counter(chosen)
    both = Counter(answer for answer, one in zip(answers, chosen, strict=True) if answer == one)
    most = max([*right, *(option for option in given if option is not None), len(labels) - 1])
    return {
        labels[option] if labels else str(option): OptionCounts(
            right=right[option],
            chosen=given[option],
            both=both[option],
            f1=statistics.f1(right[option], given[option], both[option]),
        )
        for option in range(most + 1)
    }
