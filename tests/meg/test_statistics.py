import itertools

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.metrics import f1_score

from meg import statistics

RIGHT = np.arange(100) < 40


def pair(both, gained, lost, neither):
    """(right, other) with so many questions of each of the four outcomes."""
    right = np.repeat([True, True, False, False], [both, gained, lost, neither])
    other = np.repeat([True, False, True, False], [both, gained, lost, neither])
    return right, other


class TestInterval:
    def test_wilson_by_its_formula(self):
        z, p, n = 1.959964, 0.4, 100
        middle = (p + z**2 / (2 * n)) / (1 + z**2 / n)
        half = z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
        assert statistics.wilson(RIGHT) == pytest.approx((middle - half, middle + half), abs=1e-6)

    def test_bootstrap_as_by_resampling_questions(self):
        rng = np.random.default_rng(0)
        resampled = rng.choice(RIGHT, size=(10_000, 100)).mean(axis=1)
        expected = np.quantile(resampled, [0.025, 0.975])
        found = statistics.bootstrap(RIGHT, np.random.default_rng(1))
        assert found == pytest.approx(expected, abs=0.011)

    def test_paired_bootstrap_as_by_resampling_pairs(self):
        right, other = pair(30, 25, 10, 35)
        rng = np.random.default_rng(0)
        rows = rng.integers(100, size=(10_000, 100))
        resampled = right[rows].mean(axis=1) - other[rows].mean(axis=1)
        expected = np.quantile(resampled, [0.025, 0.975])
        found = statistics.paired_bootstrap(right, other, np.random.default_rng(1))
        assert found == pytest.approx(expected, abs=0.011)

    def test_all_right(self):
        low, high = statistics.wilson(np.ones(20, dtype=bool))
        assert 0.8 < low < high == 1


class TestMcNemar:
    def test_counts_every_split_of_the_disagreements(self):
        right, other = pair(5, 6, 1, 3)
        splits = [sum(split) for split in itertools.product([0, 1], repeat=7)]
        expected = np.mean([gained <= 1 or gained >= 6 for gained in splits])
        assert statistics.mcnemar(right, other) == pytest.approx(expected)

    def test_equal_runs(self):
        assert statistics.mcnemar(RIGHT, RIGHT) == 1


class TestMacroF1:
    def test_by_hand(self):
        # Label 0: precision 1/2, recall 1/2; label 1: precision 1, recall 1/2 (one unanswered).
        found = statistics.macro_f1([0, 0, 1, 1], [0, 2, 1, None])
        assert found == pytest.approx((2 * 1 * 0.5 / 1.5 + 2 * 1 * 0.5 / 1.5) / 2)

    def test_as_sklearn_computes_it(self):
        rng = np.random.default_rng(0)
        answers, given = rng.integers(3, size=(2, 60)).tolist()
        chosen = [None if one == 0 and i % 2 else one for i, one in enumerate(given)]
        coded = [-1 if one is None else one for one in chosen]
        expected = f1_score(answers, coded, labels=[0, 1, 2], average="macro")
        assert statistics.macro_f1(answers, chosen) == pytest.approx(expected)

    def test_only_the_majority_chosen(self):
        assert statistics.macro_f1([0, 0, 1, 2], [0, 0, 0, 0]) == pytest.approx(2 / 3 / 3)


class TestCalibration:
    def test_confident_and_half_right(self):
        scores = [(9.0, 0.0)] * 10
        right = np.arange(10) < 5
        expected = softmax(scores[0]).max() - 0.5
        assert statistics.calibration_error(scores, right) == pytest.approx(expected)

    def test_over_and_under_confident_do_not_cancel(self):
        scores = [(9.0, 0.0)] * 10 + [(0.0, 0.0)] * 10
        right = np.arange(20) >= 10
        expected = (softmax(scores[0]).max() + 0.5) / 2
        assert statistics.calibration_error(scores, right) == pytest.approx(expected)

    def test_chance_is_calibrated(self):
        assert statistics.calibration_error([(0.0, 0.0)] * 4, np.arange(4) < 2) == pytest.approx(0)


class TestPositionBias:
    def test_none(self):
        assert statistics.position_bias([0, 1, 2, 3], [3, 2, 1, 0]) == 0

    def test_always_the_first(self):
        assert statistics.position_bias([0, 1, 2, 3], [0, 0, 0, None]) == pytest.approx(0.75)

    def test_nothing_answered(self):
        assert statistics.position_bias([0, 1], [None, None]) == 0
