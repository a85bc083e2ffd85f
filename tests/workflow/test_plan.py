"""Runs, their names, and what they share."""

from typing import Any

import pytest

from kg.errors import InputError
from tests.workflow.test_config import changed
from workflow.config import load_config
from workflow.plan import Plan


def plan(over: dict[str, Any] | None = None) -> Plan:
    return Plan(load_config(changed(over or {})))


class TestNames:
    def test_main_carries_no_variant(self) -> None:
        runs = plan().runs
        assert list(runs) == ["quiz_tiny", "quiz_tiny_options", "quiz_tiny_options_permuted"]
        assert runs["quiz_tiny"].result == "results/quiz_tiny.json"
        options = runs["quiz_tiny_options"]
        assert options.result == "results/ablations/quiz_tiny_options.json"

    def test_two_runs_of_one_name_are_refused(self) -> None:
        both = {"tiny": {"base": "x"}, "tiny_options": {"base": "y"}}
        with pytest.raises(InputError, match=r"quiz_tiny_options: \(quiz, tiny, options\) and"):
            plan({"models": both})


class TestSharing:
    def test_answering_alone_trains_nothing(self) -> None:
        p = plan()
        permuted = p.runs["quiz_tiny_options_permuted"]
        assert p.finetuned_by(permuted).name == "quiz_tiny_options"
        assert list(p.finetuned) == ["quiz_tiny", "quiz_tiny_options"]

    def test_phase_2_alone_shares_phase_1(self) -> None:
        assert list(plan().aligned) == ["tiny"]

    @pytest.mark.parametrize(
        "override",
        [
            {"encoder": "edge"},
            {"seed": 1},
            {"align": {"cosine": False}},
            {"model": {"lora": {"r": 8}}},
        ],
    )
    def test_what_comes_before_phase_1_gives_another(self, override: dict[str, Any]) -> None:
        p = plan({"variants": {"other": override}})
        other = p.runs["quiz_tiny_other"]
        assert list(p.aligned) == ["tiny", "tiny_other"]
        assert p.finetuned_by(other) is other

    def test_without_phase_1_its_settings_do_not_matter(self) -> None:
        start = {"finetune": {"start": "base"}}
        variants = {"plain": start, "plain_2": start | {"align": {"cosine": False}}}
        p = plan({"variants": variants})
        assert p.finetuned_by(p.runs["quiz_tiny_plain_2"]).variant == "plain"

    def test_evaluation_uses_the_other_data_sets_model_and_its_own_prompt(self) -> None:
        mmlu = {
            "questions": {"source": "mmlu"},
            "trained_on": "quiz",
            "prompt": {"max_concepts": 2},
        }
        p = plan({"datasets": {"mmlu": mmlu}})
        run = p.runs["mmlu_tiny"]
        assert p.finetuned_by(run).name == "quiz_tiny"
        assert run.prompt.max_concepts == 2
        assert run.finetune.prompt.max_concepts == 20


def test_targets_are_the_main_run_and_the_named_variants() -> None:
    target = {"dataset": "quiz", "model": "tiny", "variants": ["options"]}
    p = plan({"targets": [target, target], "comparisons": {"main": ["options"]}})
    assert [run.name for run in p.targets] == ["quiz_tiny", "quiz_tiny_options"]
    assert list(p.compared(p.runs["quiz_tiny"])) == ["options"]
    assert p.compared(p.runs["quiz_tiny_options"]) == {}
