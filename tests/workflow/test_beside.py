"""What stands beside a main run: similarities, and the run with their scores."""

from typing import Any

from tests.workflow.test_plan import plan
from workflow.beside import beside, similar

ALL = {"datasets": {"quiz": {"beside": ["information", "vectors", "text"]}}}


def names(run: str, over: dict[str, Any] | None = None) -> dict[str, str]:
    p = plan(ALL | (over or {}))
    one = p.runs[run]
    return beside(one, p.config.datasets[one.dataset].beside)


def test_a_trained_main_run_has_its_scores_added_to_those_of_two() -> None:
    assert names("quiz_tiny") == {
        "information": "results/similarity/quiz/information/test.jsonl",
        "vectors": "results/similarity/quiz/vectors/sage/test.jsonl",
        "text": "results/similarity/quiz/text/test.jsonl",
        "with_information": "results/combined/quiz_tiny/information.jsonl",
        "with_vectors": "results/combined/quiz_tiny/vectors.jsonl",
    }


def test_a_repeat_has_its_own_scores() -> None:
    target = {"dataset": "quiz", "model": "tiny", "seeds": [0, 1]}
    found = names("quiz_tiny_seed1", {"targets": [target]})
    assert found["with_vectors"] == "results/combined/quiz_tiny_seed1/vectors.jsonl"
    assert found["vectors"] == names("quiz_tiny")["vectors"]


def test_a_variant_has_none() -> None:
    assert names("quiz_tiny_options") == {}


def test_none_is_asked_for() -> None:
    p = plan()
    assert beside(p.runs["quiz_tiny"], p.config.datasets["quiz"].beside) == {}


def test_vectors_are_those_of_the_runs_encoder() -> None:
    run = plan({"encoder": "edge"}).runs["quiz_tiny"]
    assert similar(run, "vectors", "dev") == "results/similarity/quiz/vectors/edge/dev.jsonl"
