"""Names of files, options of commands, and what pages show."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from snakemake.exceptions import WorkflowError

from meg.report.contents import RunFiles
from tests.workflow.test_config import changed
from workflow.config import load_config
from workflow.options import Options, input_options
from workflow.pages import Pages
from workflow.paths import Paths
from workflow.plan import Plan

TARGETS = {
    "targets": [{"dataset": "quiz", "model": "tiny", "variants": ["options", "untrained"]}],
    "variants": {"untrained": {"checkpoint": "none", "prompt": {"concepts": "none"}}},
    "comparisons": {"main": ["options"]},
}


def paths(over: dict[str, Any] | None = None) -> Paths:
    return Paths(Plan(load_config(changed(TARGETS | (over or {})))))


def options(over: dict[str, Any] | None = None) -> Options:
    return Options(paths(over), Path())


class TestPaths:
    def test_phases_are_named_after_the_run_that_owns_them(self) -> None:
        made = paths()
        permuted = made.plan.runs["quiz_tiny_options_permuted"]
        assert made.align_folder(permuted) == "results/align/tiny"
        assert made.checkpoint_folder(permuted) == "results/models/quiz_tiny_options"

    def test_base_model_answers_where_nothing_is_trained(self) -> None:
        made = paths()
        assert made.checkpoint_folder(made.plan.runs["quiz_tiny_untrained"]) is None
        assert made.base_files("tiny") == ["results/base/tiny/config.json"]

    def test_questions_with_what_the_graph_says(self) -> None:
        made = paths({"prompt": {"parents": 2}})
        prompt = made.plan.runs["quiz_tiny"].prompt
        assert made.questions("quiz", "dev", prompt) == "results/neighbours/quiz/dev.jsonl"


class TestOptions:
    def test_answers_of_the_trained_model_or_of_the_base(self) -> None:
        shown = [
            options().answering(SimpleNamespace(run=f"quiz_tiny{variant}"))
            for variant in ("", "_untrained")
        ]
        assert shown[0] == "--checkpoint results/models/quiz_tiny"
        assert shown[1].startswith("--model ")
        assert "lora" not in shown[1]

    def test_compares_with_the_named_runs(self) -> None:
        shown = options().compare(SimpleNamespace(run="quiz_tiny"))
        assert shown == "--against options=results/predictions/quiz_tiny_options.jsonl"

    def test_a_result_takes_the_notes_of_the_graph_and_of_every_data_set_it_learned_from(
        self,
    ) -> None:
        easy = {"questions": {"source": "file", "path": "easy"}}
        hard = easy | {"finetune": {"after": {"dataset": "easy"}}}
        other = easy | {"trained_on": "hard"}
        made = options({"datasets": {"easy": easy, "hard": hard, "other": other}})
        run = SimpleNamespace(run="other_tiny")
        files = [f"results/questions/{name}/inputs.json" for name in ("easy", "hard", "other")]
        assert made.noted_files(run) == ["results/kg/hpo/inputs.json", *files]
        assert made.noted(run).startswith("--inputs kg/hpo=results/kg/hpo/inputs.json --inputs ")
        untrained = SimpleNamespace(run="other_tiny_untrained")
        assert made.noted_files(untrained) == ["results/kg/hpo/inputs.json", files[-1]]

    def test_quiz_needs_the_ontology(self) -> None:
        other = options({"kg": {"source": "dragon", "folder": "cpnet"}})
        with pytest.raises(WorkflowError, match=r"kg\.source is dragon"):
            other.question_inputs(SimpleNamespace(dataset="quiz"))

    def test_inputs_but_for_the_users_files(self) -> None:
        assert input_options(None, {"graph": "a b", "files": ["c"]}) == "--graph 'a b'"
        assert input_options(None, {"graph": ["a b/c", "a b/d"]}) == "--graph 'a b'"


class TestPages:
    def test_results_and_measures_of_the_encoders(self) -> None:
        assert Pages(paths()).targets() == [
            "results/quiz_tiny.json",
            "results/ablations/quiz_tiny_options.json",
            "results/ablations/quiz_tiny_untrained.json",
            "results/kge/hpo_sage.json",
            "results/report.html",
        ]

    def test_runs_are_what_the_report_reads(self) -> None:
        main, with_options, untrained = map(
            RunFiles.model_validate, Pages(paths()).described("report")
        )
        assert (main.encoder, with_options.encoder) == ("sage", None)
        assert (main.align, main.finetune) == (
            Path("results/align/tiny"),
            Path("results/models/quiz_tiny"),
        )
        assert (untrained.align, untrained.finetune) == (None, None)

    def test_ablations_without_a_list(self) -> None:
        with pytest.raises(WorkflowError, match="the configuration lists no ablations"):
            Pages(paths()).ablations(None)
