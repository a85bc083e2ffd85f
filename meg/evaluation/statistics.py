"""Statistics of answered multiple-choice questions, as plain functions of arrays.

`right` is (question,) bool throughout. Intervals are two-sided 95%. SciPy loads its parts when they
are used, which a command that only ranks need not wait for.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import scipy

__all__ = [
    "calibration_error",
    "f1",
    "macro_f1",
    "mcnemar",
    "position_bias",
    "tango",
    "wilson",
]

Z = 1.959963984540054
"""Of two-sided 95% in the standard normal distribution."""

NEAR = 1e-9

BINS = 10
"""Of equal width, as in Guo et al. 2017, "On Calibration of Modern Neural Networks" (ECE)."""


def wilson(right: np.ndarray) -> tuple[float, float]:
    """Wilson's score interval of the accuracy."""
    interval = scipy.stats.binomtest(int(right.sum()), len(right)).proportion_ci(method="wilson")
    return float(interval.low), float(interval.high)


def tango(right: np.ndarray, other: np.ndarray) -> tuple[float, float]:
    """Tango's score interval of accuracy minus the other's, on the same questions.

    Toshiro Tango 1998, "Equivalence test and confidence interval for the difference in proportions
    for the paired-sample design", Statistics in Medicine 17:891-908. Unlike a bootstrap or Wald's
    it has a width where the runs never differ.
    """
    gained, lost, n = *_discordant(right, other), len(right)
    observed = (gained - lost) / n

    def score(difference: float) -> float:
        # The likeliest share of lost questions, were this the difference: a quadratic's root.
        middle = (2 * n - gained + lost) * difference - gained - lost
        product = -lost * difference * (1 - difference)
        share = (np.sqrt(max(0, middle**2 - 8 * n * product)) - middle) / (4 * n)
        variance = n * (2 * share + difference * (1 - difference))
        return float((n * (observed - difference)) ** 2 - Z**2 * variance)

    # At the observed difference itself the score of runs that never differ is 0 too.
    low = scipy.optimize.brentq(score, -1, observed - NEAR) if observed > -1 else -1
    high = scipy.optimize.brentq(score, observed + NEAR, 1) if observed < 1 else 1
    return float(low), float(high)


def mcnemar(right: np.ndarray, other: np.ndarray) -> float:
    """Exact two-sided p-value of McNemar's test: are the disagreements split evenly?"""
    gained, lost = _discordant(right, other)
    return float(scipy.stats.binomtest(gained, gained + lost).pvalue) if gained + lost else 1.0


def _discordant(right: np.ndarray, other: np.ndarray) -> tuple[int, int]:
    """Questions that only the first run, and only the other, answered rightly."""
    return int((right & ~other).sum()), int((other & ~right).sum())


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
    confidence = np.array([scipy.special.softmax(row).max() for row in scores])
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps = np.bincount(bins, weights=right - confidence, minlength=BINS)
    return float(np.abs(gaps).sum() / len(right))
