import pytest
from scipy.stats import binomtest

from kg.shared.errors import InputError
from meg.evaluation.paired import compare
from meg.evaluation.prediction import Prediction


def rows(*outcomes):
    """Predictions for right answers 0, 1, 0, 1...; an outcome is the option chosen."""
    return [Prediction(id=str(i), answer=i % 2, prediction=one) for i, one in enumerate(outcomes)]


class TestCompare:
    def test_is_paired_by_id_not_by_order(self):
        ours, theirs = rows(0, 1, 0, 0), rows(1, 1, 1, 1)
        found = compare(ours, theirs[::-1], "other")
        assert (found.gained, found.lost, found.difference) == (2, 1, 0.25)
        assert found.mcnemar_p == binomtest(2, 3).pvalue

    def test_is_the_same_again(self):
        ours, theirs = rows(0, 1, 0, 0), rows(1, 1, 1, 1)
        assert compare(ours, theirs, "other") == compare(ours, theirs, "other")

    def test_an_answer_that_could_not_be_read_is_wrong(self):
        found = compare(rows(0, 1), rows(None, 1), "other")
        assert (found.accuracy, found.gained) == (0.5, 1)


class TestOtherQuestions:
    def test_are_named(self):
        message = r"the same questions \(3 here, 2 there\): 1 only here \(2\); predict both"
        with pytest.raises(InputError, match=message):
            compare(rows(0, 1, 0), rows(0, 1), "other")

    def test_of_which_there_are_many_are_cut_short(self):
        with pytest.raises(InputError, match=r"7 only in other \(2, 3, 4, 5, 6, ...\)"):
            compare(rows(0, 1), rows(*[0] * 9), "other")

    def test_with_other_answers_are_named(self):
        other = [Prediction(id="0", answer=1, prediction=0)]
        with pytest.raises(InputError, match=r"1 with another right answer \(0\)"):
            compare(rows(0), other, "other")
