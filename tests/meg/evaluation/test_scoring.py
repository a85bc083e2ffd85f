import math

import pytest

from meg.evaluation.prediction import Prediction
from meg.evaluation.scoring import score


def rows(*outcomes, kind=""):
    """Predictions for right answers 0, 1, 0, 1...; an outcome is the option chosen."""
    return [
        Prediction(id=f"{kind}{i}", kind=kind, answer=i % 2, prediction=outcome)
        for i, outcome in enumerate(outcomes)
    ]


class TestScore:
    def test_unanswered_is_wrong_and_counted(self):
        result = score(rows(0, None, None, 1))
        assert (result.accuracy, result.n, result.unanswered) == (0.5, 4, 2)

    def test_kinds_weigh_the_same_in_the_macro(self):
        result = score(rows(0, 1, 0, 1, kind="a") + rows(1, kind="b"))
        assert result.accuracy == 0.8
        assert result.macro_accuracy == 0.5
        assert result.kinds["b"].n == 1

    def test_classes(self):
        result = score(rows(0, 0, None, 1))
        assert {option: one.model_dump() for option, one in result.classes.items()} == {
            "0": {"right": 2, "chosen": 2, "both": 1, "f1": 0.5},
            "1": {"right": 2, "chosen": 1, "both": 1, "f1": pytest.approx(2 / 3)},
        }
        assert result.macro_f1 is None

    def test_named_classes_have_a_macro_f1(self):
        result = score(rows(0, 0, None, 1), ["yes", "no", "maybe"])
        assert [one.chosen for one in result.classes.values()] == [2, 1, 0]
        assert list(result.classes) == ["yes", "no", "maybe"]
        # Nothing is maybe, so that it has no F1 to count.
        assert result.macro_f1 == pytest.approx((0.5 + 2 / 3) / 2)

    def test_calibration_needs_all_scores(self):
        scored = Prediction(id="s", answer=0, prediction=0, scores=(1.0, 0.0))
        # Its confidence is the softmax of (1, 0).
        assert score([scored]).calibration_error == pytest.approx(1 / (1 + math.e))
        assert score([scored, *rows(0)]).calibration_error is None
