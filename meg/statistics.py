"""Statistics of answered multiple-choice questions, as plain functions of arrays.

`right` is (question,) bool throughout. Intervals are two-sided 95%.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from scipy.special import softmax
from scipy.stats import binomtest

__all__ = [
    "bootstrap",
    "calibration_error",
    "f1",
    "macro_f1",
    "mcnemar",
    "paired_bootstrap",
    "position_bias",
    "wilson",
]

RESAMPLES = 10_000
TAILS = (0.025, 0.975)

BINS = 10
"""Of equal width, as in Guo et al. 2017, "On Calibration of Modern Neural Networks" (ECE)."""


def wilson(right: np.ndarray) -> tuple[float, float]:
    """Wilson's score interval of the accuracy."""
    interval = binomtest(int(right.sum()), len(right)).proportion_ci(method="wilson")
    return float(interval.low), float(interval.high)


def bootstrap(right: np.ndarray, rng: np.random.Generator) -> tuple[float, float]:
    """Percentile interval of the accuracy under resampling of questions.

    The number right in a resample of n questions is binomial, so that it is drawn directly.
    """
    n = len(right)
    low, high = np.quantile(rng.binomial(n, right.mean(), size=RESAMPLES) / n, TAILS)
    return float(low), float(high)


def paired_bootstrap(
    right: np.ndarray, other: np.ndarray, rng: np.random.Generator
) -> tuple[float, float]:
    """Percentile interval of accuracy minus the other's under resampling of question pairs.

    A pair counts +1, 0 or -1, so that a resample is a multinomial draw of these three.
    """
    n = len(right)
    gained, lost = int((right & ~other).sum()), int((other & ~right).sum())
    counts = rng.multinomial(n, [gained / n, lost / n, (n - gained - lost) / n], size=RESAMPLES)
    low, high = np.quantile((counts[:, 0] - counts[:, 1]) / n, TAILS)
    return float(low), float(high)


def mcnemar(right: np.ndarray, other: np.ndarray) -> float:
    """Exact two-sided p-value of McNemar's test: are the disagreements split evenly?"""
    gained, lost = int((right & ~other).sum()), int((other & ~right).sum())
    return float(binomtest(gained, gained + lost).pvalue) if gained + lost else 1.0


def f1(right: int, chosen: int, both: int) -> float:
    """Harmonic mean of precision and recall of a label, of how often it is right, chosen, both."""
    return 2 * both / (right + chosen) if both else 0.0


def macro_f1(answers: Sequence[int], predictions: Sequence[int | None]) -> float:
    """Mean F1 over the labels that are right somewhere; an unanswered question is a miss."""
    right, chosen = Counter(answers), Counter(predictions)
    both = Counter(a for a, one in zip(answers, predictions, strict=True) if a == one)
    return float(np.mean([f1(right[label], chosen[label], both[label]) for label in right]))


def position_bias(answers: Sequence[int], predictions: Sequence[int | None]) -> float:
    """Total variation, 0 to 1, between how often options are chosen and are right."""
    chosen = [prediction for prediction in predictions if prediction is not None]
    if not chosen:
        return 0.0
    size = max([*answers, *chosen]) + 1
    right = np.bincount(answers, minlength=size) / len(answers)
    return float(np.abs(np.bincount(chosen, minlength=size) / len(chosen) - right).sum() / 2)


def calibration_error(scores: Sequence[Sequence[float]], right: np.ndarray) -> float:
    """Expected calibration error; the confidence is the largest softmax of a question's scores."""
    confidence = np.array([softmax(row).max() for row in scores])
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps = np.bincount(bins, weights=right - confidence, minlength=BINS)
    return float(np.abs(gaps).sum() / len(right))
