"""What stands beside a main run: similarities, and the run with their scores."""

from typing import Any

from tests.workflow.test_plan import plan
from workflow.beside import beside, parts

ALL = {"datasets": {"quiz": {"beside": ["information", "vectors", "text"]}}}


def names(run: str, over: dict[str, Any] | None = None) -> dict[str, str]:
    p = plan(ALL | (over or {}))
    one = p.runs[run]
    return beside(one, p.config.datasets[one.dataset].beside)


def test_two_are_added_to_each_other_and_to_a_trained_main_run() -> None:
    assert names("quiz_tiny") == {
        "information": "results/similarity/quiz/information/test.jsonl",
        "vectors": "results/similarity/quiz/vectors/sage/test.jsonl",
        "text": "results/similarity/quiz/text/test.jsonl",
        "both": "results/combined/quiz_tiny/both.jsonl",
        "with_information": "results/combined/quiz_tiny/with_information.jsonl",
        "with_vectors": "results/combined/quiz_tiny/with_vectors.jsonl",
        "with_both": "results/combined/quiz_tiny/with_both.jsonl",
    }


def test_a_repeat_has_its_own_scores() -> None:
    target = {"dataset": "quiz", "model": "tiny", "seeds": [0, 1]}
    found = names("quiz_tiny_seed1", {"targets": [target]})
    assert found["with_vectors"] == "results/combined/quiz_tiny_seed1/with_vectors.jsonl"
    assert found["vectors"] == names("quiz_tiny")["vectors"]


def test_a_variant_has_none() -> None:
    assert names("quiz_tiny_options") == {}


def test_none_is_asked_for() -> None:
    p = plan()
    assert beside(p.runs["quiz_tiny"], p.config.datasets["quiz"].beside) == {}


def test_only_what_is_asked_for_is_added() -> None:
    found = names("quiz_tiny", {"datasets": {"quiz": {"beside": ["vectors", "text"]}}})
    assert list(found) == ["vectors", "text", "with_vectors"]


def test_the_parts_are_the_runs_own_first_with_the_vectors_of_its_encoder() -> None:
    run = plan({"encoder": "edge"}).runs["quiz_tiny"]
    assert parts(run, "with_both", "dev") == [
        "results/predictions/dev/quiz_tiny.jsonl",
        "results/similarity/quiz/information/dev.jsonl",
        "results/similarity/quiz/vectors/edge/dev.jsonl",
    ]
    assert parts(run, "with_vectors", "test")[0] == "results/predictions/quiz_tiny.jsonl"
