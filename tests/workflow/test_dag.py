"""Which jobs a target asks for, by dry runs."""

import re
from pathlib import Path

import pytest

from tests.workflow.conftest import Snakemake

DATASETS = ["medqa", "pubmedqa", "medmcqa", "mmlu_from_medqa", "mmlu_from_medmcqa"]
MODELS = ["llama", "llama3b", "mistral", "mistral_v01", "smollm"]
ROOT = Path(__file__).parents[2]
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

    def test_text_only_needs_no_graph_encoder(self, snakemake: Snakemake) -> None:
        counts = jobs(snakemake("-n", "results/predictions/medqa_llama_text_only.jsonl"))
        assert (counts["finetune"], counts["predict"]) == (1, 1)
        assert not {"features", "train_encoder", "align"} & set(counts)

    def test_evaluation_only(self, snakemake: Snakemake) -> None:
        counts = jobs(snakemake("-n", "results/mmlu_from_medmcqa_mistral_v01.json"))
        assert (counts["questions"], counts["finetune"]) == (2, 2)

    def test_encoder(self, snakemake: Snakemake) -> None:
        counts = jobs(snakemake("-n", "results/kge/umls_edgegraphsage.json"))
        assert counts == {**GRAPH, "encoder_result": 1}

    def test_everything(self, snakemake: Snakemake) -> None:
        counts = jobs(snakemake("-n"))
        assert counts["score"] == 11
        assert counts["align"] == 3
        assert counts["report_page"] == 1

    def test_deepspeed_settings_are_found_from_elsewhere(self, snakemake: Snakemake) -> None:
        """The tests' working directory has no config/."""
        shown = snakemake("-n", "-p", "results/models/medqa_mistral/meg.json")
        assert f'"deepspeed":"{ROOT}/config/deepspeed/zero2_offload.json"' in shown

    def test_every_data_set_and_model(self, snakemake: Snakemake) -> None:
        names = [f"results/{d}_{m}.json" for d in DATASETS for m in MODELS]
        counts = jobs(snakemake("-n", *names))
        assert counts["score"] == len(names)
        assert counts["align"] == len(MODELS)
        # MMLU is answered by the models of MedQA and MedMCQA; text_only is the other training.
        assert counts["finetune"] == 2 * 3 * len(MODELS)

    def test_every_ablation(self, snakemake: Snakemake) -> None:
        counts = jobs(snakemake("-n", "ablations"))
        assert counts["seeds"] == 3
        assert counts["train_encoder"] == 9
        assert counts["neighbours"] == counts["report_page"] == counts["ablations"] == 1
        repeats = 2 * 4  # Two more seeds of main, text_only, encoder_random, permuted.
        assert counts["predict"] == 41 + repeats

    @pytest.mark.parametrize("target", ["encoder", "encoders", "aligned"])
    def test_target_by_name(self, snakemake: Snakemake, target: str) -> None:
        assert jobs(snakemake("-n", target))[target] == 1


class TestWrong:
    def test_quiz_of_a_graph_that_has_none(self, snakemake: Snakemake) -> None:
        output = snakemake("-n", "results/hpoquiz_llama.json", status=1)
        assert "datasets.hpoquiz: questions of the source hpoquiz are made from the Human" in output
        assert "kg.source is umls; take kg.source hpo" in output

    def test_ranks_are_of_patients(self, snakemake: Snakemake) -> None:
        name = "results/rank/hpoquiz.json"
        output = snakemake("-n", name, "--configfile", "config/demo.yaml", status=1)
        assert "datasets.hpoquiz: diseases are ranked for patients" in output

    def test_target(self, snakemake: Snakemake) -> None:
        output = snakemake("-n", "results/medqa_gpt.json", status=1)
        assert "medqa_gpt" in output

    def test_config_names_the_key(self, snakemake: Snakemake) -> None:
        output = snakemake("-n", "--config", "sed=1", status=1)
        assert "sed: Extra inputs are not permitted (got 1)" in output

    def test_ablations_without_a_list_are_told_of_one(self, snakemake: Snakemake) -> None:
        output = snakemake("-n", "ablations", "--configfile", "config/demo.yaml", status=1)
        assert "name config/ablations.yaml behind the configuration file" in output


@pytest.mark.parametrize("name", ["demo", "smoke"])
def test_every_ablation_on_open_data(snakemake: Snakemake, name: str) -> None:
    files = (f"config/{name}.yaml", "config/ablations.yaml")
    counts = jobs(snakemake("-n", "ablations", "--configfile", *files))
    assert counts["seeds"] == 3
    assert counts["neighbours"] == counts["report_page"] == counts["ablations"] == 1


def test_demo_trains_each_model_once(snakemake: Snakemake) -> None:
    counts = jobs(snakemake("-n", "--configfile", "config/demo.yaml"))
    assert (counts["base"], counts["align"], counts["finetune"], counts["predict"]) == (1, 1, 3, 6)


def test_patients_learn_from_the_quiz_and_stand_beside_similarities(snakemake: Snakemake) -> None:
    files = ("config/demo.yaml", "config/patients.yaml")
    counts = jobs(snakemake("-n", "results/patients_smollm.json", "--configfile", *files))
    # Each of two models learns from the quiz first.
    assert (counts["questions"], counts["finetune"], counts["align"]) == (2, 4, 1)
    # Three on the test questions, two on the dev ones.
    assert (counts["similarity"], counts["combine"], counts["predict_dev"]) == (5, 4, 1)


def test_ranking_needs_no_trained_model(snakemake: Snakemake) -> None:
    files = ("config/demo.yaml", "config/patients.yaml")
    assert jobs(snakemake("-n", "results/rank/patients.json", "--configfile", *files)) == {
        **GRAPH,
        "rank": 1,
    }


def test_caches_move_from_a_home_that_cannot_be_written(
    snakemake: Snakemake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    home.touch()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    shown = snakemake("-n", "results/kg/umls/concepts.parquet")
    assert f"{home}/.cache cannot be written: caches go to {ROOT}/.snakemake/cache" in shown
    assert jobs(shown) == {"tables": 1}
