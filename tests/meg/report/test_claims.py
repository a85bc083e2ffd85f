"""Sentences of the report, from the numbers behind them."""

from pathlib import Path
from typing import Any

import pytest

from meg.evaluation.result import Comparison, Result
from meg.report.claims import gains, of_questions, over_seeds, p_value, yardstick
from meg.report.contents import RunFiles, by_group

OTHER = {"accuracy": 0.424, "difference": 0.138, "interval": [0.104, 0.1734]}
RESULT = {"accuracy": 0.562, "wilson": [0.531, 0.592], "n": 1000, "shortened": 3}


def result(**comparisons: dict[str, Any]) -> Result:
    """Of the fields that sentences are made of."""
    compared = {name: Comparison.model_construct(**one) for name, one in comparisons.items()}
    return Result.model_construct(**RESULT, comparisons=compared)


def run(**fields: Any) -> RunFiles:
    paths = dict.fromkeys(("result", "predictions", "questions"), Path("x"))
    return RunFiles(dataset="quiz", model="tiny", variant="main", **paths, **fields)


def gain(**comparisons: dict[str, Any]) -> str:
    return gains(by_group([(run(), result(**comparisons))]))


class TestGains:
    def test_against_no_graph_with_the_interval(self) -> None:
        assert gain(zero_shot=OTHER | {"accuracy": 0.1}, text_only=OTHER) == (
            "tiny with the graph's vectors answers 56.2% of 1,000 quiz questions right, and 42.4% "
            "without the graph: 13.8 percentage points more (95% interval 10.4 to 17.3)."
        )

    def test_that_may_be_chance_is_called_so(self) -> None:
        said = gain(text_only=OTHER | {"difference": -0.01, "interval": [-0.03, 0.02]})
        assert "1.0 percentage points fewer (95% interval -3.0 to 2.0), which may be chance" in said

    def test_with_nothing_beside_it(self) -> None:
        assert gain().endswith("(95% interval 53.1 to 59.2), compared with no other run.")

    def test_of_each_group_in_a_sentence(self) -> None:
        other = run().model_copy(update={"dataset": "exam"})
        one = result(text_only=OTHER)
        assert gains(by_group([(run(), one), (other, one)])).count("13.8") == 2

    def test_yardstick_is_the_run_without_the_graph(self) -> None:
        assert yardstick(result(a={}, text_only={})) == "text_only"
        assert yardstick(result(a={}, b={})) == "a"
        assert yardstick(result()) is None


class TestSeeds:
    def test_of_one_training_say_what_is_not_known(self) -> None:
        assert "another seed would be from it is not measured" in over_seeds([(run(), result())])

    def test_are_named_where_they_ran(self) -> None:
        assert over_seeds([(run(seeds=Path("s")), result())]).endswith("standard deviation: main.")


def test_what_became_of_questions() -> None:
    summary = {
        "splits": {"train": {"questions": 1200}, "test": {"questions": 34}},
        "problems": [{"kept": True}, {"kept": False}],
        "duplicates": {"test": [["a", "b"]], "train-test": [["c", "d"], ["e", "f"]]},
    }
    said = of_questions("quiz", summary, [(run(), result())])
    for part in ("1,234 questions", "1 items left out", "3 groups of equal", "3 test questions sh"):
        assert part in said


@pytest.mark.parametrize(("p", "shown"), [(2e-14, "< 0.001"), (0.0321, "0.032"), (1.0, "1.000")])
def test_p_values_as_papers_write_them(p: float, shown: str) -> None:
    assert p_value(p) == shown
