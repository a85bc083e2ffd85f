"""Runs, their names, and what they share."""

from typing import Any, ClassVar

import pytest

from kg.shared.errors import InputError
from tests.workflow.test_config import changed
from workflow.config import load_config
from workflow.paths import Paths
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


class TestAfter:
    """A Phase II that starts from another data set's."""

    HARD: ClassVar = {
        "questions": {"source": "patients"},
        "finetune": {"after": {"dataset": "quiz"}, "training": {"learning_rate": 5e-4}},
    }
    PLAIN: ClassVar = {"prompt": {"concepts": "none"}, "finetune": {"start": "base"}}

    def test_starts_from_the_same_variant_of_the_same_seed(self) -> None:
        target = {"dataset": "hard", "model": "tiny", "variants": ["plain"], "seeds": [0, 1]}
        p = plan(
            {
                "datasets": {"hard": self.HARD},
                "variants": {"plain": self.PLAIN},
                "targets": [target],
            }
        )
        names = {
            name: before.name
            for name, run in p.runs.items()
            if (before := p.before(run)) is not None
        }
        assert names["hard_tiny"] == "quiz_tiny"
        assert names["hard_tiny_plain"] == "quiz_tiny_plain"
        assert names["hard_tiny_plain_seed1"] == "quiz_tiny_plain_seed1"
        # It answers with the model of options.
        assert names["hard_tiny_options_permuted"] == "quiz_tiny_options"
        assert p.before(p.runs["quiz_tiny"]) is None

    def test_starts_from_the_named_variant(self) -> None:
        after = {"dataset": "quiz", "variants": {"main": "options"}}
        hard = self.HARD | {"finetune": {"after": after}}
        p = plan({"datasets": {"hard": hard}})
        before = p.before(p.runs["hard_tiny"])
        assert before is not None
        assert before.name == "quiz_tiny_options"

    def test_another_start_is_another_model(self) -> None:
        """The variant trains the harder questions as the main run does, not so the quiz."""
        rate = {"finetune": {"training": {"learning_rate": 5e-4}}}
        p = plan({"datasets": {"hard": self.HARD}, "variants": {"slow": rate}})
        assert p.finetuned_by(p.runs["hard_tiny_slow"]).name == "hard_tiny_slow"


def test_targets_are_the_main_run_and_the_named_variants() -> None:
    target = {"dataset": "quiz", "model": "tiny", "variants": ["options"]}
    p = plan({"targets": [target, target], "comparisons": {"main": ["options"]}})
    assert [run.name for run in p.targets] == ["quiz_tiny", "quiz_tiny_options"]
    assert list(p.compared(p.runs["quiz_tiny"])) == ["options"]
    assert p.compared(p.runs["quiz_tiny_options"]) == {}


class TestSeeds:
    TARGET: ClassVar = {
        "dataset": "quiz",
        "model": "tiny",
        "variants": ["options"],
        "seeds": [0, 1, 2],
    }

    def test_repeat_both_phases_under_names_of_their_own(self) -> None:
        p = plan({"targets": [self.TARGET]})
        again = p.seeds_of(p.runs["quiz_tiny_options"])
        assert [run.name for run in again] == [
            "quiz_tiny_options",
            "quiz_tiny_options_seed1",
            "quiz_tiny_options_seed2",
        ]
        assert [run.seed for run in again] == [0, 1, 2] == [run.predict.seed for run in again]
        assert again[1].result == "results/seeds/each/quiz_tiny_options_seed1.json"
        assert again[0].seeds_result == "results/seeds/quiz_tiny_options.json"
        assert p.aligned_by(again[1]).align_name == "tiny_seed1"
        assert list(p.aligned) == ["tiny", "tiny_seed1", "tiny_seed2"]

    def test_are_not_among_the_runs_asked_for(self) -> None:
        p = plan({"ablations": [self.TARGET, self.TARGET | {"variants": []}]})
        runs = p.asked_for(p.config.ablations)
        assert [run.name for run in runs] == ["quiz_tiny", "quiz_tiny_options"]

    def test_concern_the_named_variants_only(self) -> None:
        one = self.TARGET | {"seeds": []}
        p = plan({"ablations": [one, self.TARGET | {"variants": []}]})
        assert [run.name for run in p.averaged(p.config.ablations)] == ["quiz_tiny"]

    def test_of_an_evaluation_train_the_other_data_set(self) -> None:
        mmlu = {"questions": {"source": "mmlu"}, "trained_on": "quiz"}
        target = self.TARGET | {"dataset": "mmlu"}
        p = plan({"datasets": {"mmlu": mmlu}, "targets": [target]})
        assert p.finetuned_by(p.runs["mmlu_tiny_seed2"]).name == "quiz_tiny_seed2"

    def test_are_compared_with_the_same_seed_but_for_the_base_llm(self) -> None:
        untrained = {"checkpoint": "none", "prompt": {"concepts": "none"}}
        p = plan(
            {
                "targets": [self.TARGET],
                "variants": {"zero_shot": untrained},
                "comparisons": {"main": ["options", "zero_shot"]},
            }
        )
        compared = p.compared(p.runs["quiz_tiny_seed2"])
        assert {name: run.name for name, run in compared.items()} == {
            "options": "quiz_tiny_options_seed2",
            "zero_shot": "quiz_tiny_zero_shot",
        }
        assert len(p.seeds_of(p.runs["quiz_tiny_zero_shot"])) == 1

    def test_a_variant_with_the_name_of_a_repeat_is_refused(self) -> None:
        with pytest.raises(InputError, match="two runs have the name quiz_tiny_seed1"):
            plan({"targets": [self.TARGET], "variants": {"seed1": {}}})


def test_a_checkpoint_stands_for_phase_1() -> None:
    p = plan({"models": {"tiny": {"start": "imported"}}})
    paths, run = Paths(p), p.runs["quiz_tiny"]
    assert paths.align_folder(run) == "imported"
    assert Paths(plan()).align_folder(plan().runs["quiz_tiny"]) == "results/align/tiny"
