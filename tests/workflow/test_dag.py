"""Which jobs a target asks for, by dry runs."""

import re

import pytest

from tests.workflow.conftest import Snakemake

GRAPH = {"tables": 1, "features": 1, "train_encoder": 1}


def jobs(output: str) -> dict[str, int]:
    """Jobs by rule, of the table that Snakemake prints."""
    table = output[output.index("Job stats:") :].split("\n\n", maxsplit=1)[0]
    counts = {rule: int(count) for rule, count in re.findall(r"^(\w+) +(\d+)$", table, re.M)}
    counts.pop("total")
    return counts


class TestDefaultConfig:
    """Inputs and licences are missing here, and the DAG is drawn all the same."""

    def test_result_with_its_comparisons(self, snakemake: Snakemake) -> None:
        assert jobs(snakemake("-n", "results/medqa_llama.json")) == {
            **GRAPH,
            "linker": 1,
            "questions": 1,
            "ground": 1,
            "align": 1,
            "finetune": 2,
            "predict": 4,
            "score": 1,
        }

    def test_evaluation_only(self, snakemake: Snakemake) -> None:
        counts = jobs(snakemake("-n", "results/mmlu_from_medmcqa_mistral_v01.json"))
        assert (counts["questions"], counts["finetune"]) == (2, 2)

    def test_encoder(self, snakemake: Snakemake) -> None:
        counts = jobs(snakemake("-n", "results/kge/umls_edgegraphsage.json"))
        assert counts == {**GRAPH, "encoder_result": 1}

    def test_everything(self, snakemake: Snakemake) -> None:
        counts = jobs(snakemake("-n"))
        assert counts["score"] == 21
        assert counts["align"] == 11  # three models, eight other Phases I of one of them
        assert counts["report_page"] == 1

    @pytest.mark.parametrize("target", ["encoder", "encoders", "aligned", "ablations"])
    def test_target_by_name(self, snakemake: Snakemake, target: str) -> None:
        assert jobs(snakemake("-n", target))[target] == 1


class TestWrong:
    def test_target(self, snakemake: Snakemake) -> None:
        output = snakemake("-n", "results/medqa_gpt.json", status=1)
        assert "medqa_gpt" in output

    def test_config_names_the_key(self, snakemake: Snakemake) -> None:
        output = snakemake("-n", "--config", "sed=1", status=1)
        assert "sed: Extra inputs are not permitted (got 1)" in output


def test_demo_trains_each_model_once(snakemake: Snakemake) -> None:
    counts = jobs(snakemake("-n", "--configfile", "config/demo.yaml"))
    assert (counts["base"], counts["align"], counts["finetune"], counts["predict"]) == (1, 1, 3, 6)
