import itertools

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.metrics import f1_score

from meg.evaluation import statistics

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

    def test_all_right(self):
        low, high = statistics.wilson(np.ones(20, dtype=bool))
        assert 0.8 < low < high == 1


class TestTango:
    @pytest.mark.parametrize(
        ("counts", "low", "high"),
        [
            # Fagerland, Lydersen and Laake, Statistical Analysis of Contingency Tables, ch. 8.
            ((1, 1, 7, 12), -0.517, -0.026),
            ((59, 6, 16, 80), -0.1240, -0.0054),
        ],
    )
    def test_published_values(self, counts, low, high):
        assert statistics.tango(*pair(*counts)) == pytest.approx((low, high), abs=5e-4)

    def test_runs_that_never_differ_may_differ(self):
        z2 = 1.959964**2
        low, high = statistics.tango(*pair(20, 0, 0, 4))
        assert (low, high) == pytest.approx((-z2 / (24 + z2), z2 / (24 + z2)), abs=1e-6)

    def test_turns_round_with_the_runs(self):
        low, high = statistics.tango(*pair(30, 25, 10, 35))
        assert statistics.tango(*pair(30, 10, 25, 35)) == pytest.approx((-high, -low), abs=1e-6)

    def test_all_gained(self):
        low, high = statistics.tango(*pair(0, 24, 0, 0))
        assert 0.7 < low < high == 1

    def test_ends_where_the_score_test_does(self):
        """At 0 this is McNemar's without correction, z = (gained - lost) / sqrt(gained + lost)."""
        assert statistics.tango(*pair(300, 114, 86, 500))[0] > 0  # z is 1.98
        assert statistics.tango(*pair(300, 113, 87, 500))[0] < 0  # z is 1.84


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
