"""The whole workflow on the smoke configuration, once, and what runs again after a change."""

import json
import re
import shutil
from pathlib import Path

import pytest
import yaml

from tests.workflow.conftest import ROOT, Snakemake, runner
from tests.workflow.test_dag import jobs
from tests.workflow.test_encoders import ENCODERS

pytestmark = pytest.mark.slow

SMOKE = ("--cores", "2", "--configfile", "config/smoke.yaml")
VARIANTS = ["text_only", "permuted", "zero_shot", "options", "options_permuted"]
ABLATIONS = yaml.safe_load((ROOT / "config/ablations.yaml").read_text())["ablations"]

NOTHING = "Nothing to be done"
COMPARED = ["text_only", "permuted", "zero_shot", "vectors", "with_vectors"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where everything was run."""
    folder = tmp_path_factory.mktemp("smoke")
    rules = ("all", "ablations", "encoder_comparison", "encoder", "encoders", "aligned")
    output = runner(folder)(*rules, *SMOKE, "config/ablations.yaml")
    (folder / "output").write_text(output)
    return folder


@pytest.fixture(scope="module")
def snakemake(folder: Path) -> Snakemake:
    return runner(folder)


def with_change(folder: Path, change: dict) -> tuple[str, ...]:
    """Arguments for the smoke configuration with some values changed."""
    path = folder / "change.yaml"
    path.write_text(yaml.safe_dump(change))
    return (*SMOKE, str(path))


class TestResults:
    def test_every_rule_ran(self, folder: Path) -> None:
        text = "".join(path.read_text() for path in (ROOT / "workflow/rules").glob("*.smk"))
        named = re.findall(r"^(?:rule|checkpoint|use rule \w+ as) (\w+)", text, re.M)
        # Ranking is of patients, whom no package brings: test_dag.py plans it.
        rules = {*named, "all"} - {"rank"}
        assert rules == set(jobs((folder / "output").read_text()))

    def test_it_ends_with_the_table(self, folder: Path) -> None:
        _, _, end = (folder / "output").read_text().rpartition("compared with")
        assert "text_only" in end
        assert "The report: results/report.html" in end

    def test_main_run_is_compared_with_its_controls(self, folder: Path) -> None:
        result = json.loads((folder / "results/hpoquiz_smollm.json").read_text())
        assert result["n"] == 16
        assert list(result["comparisons"]) == COMPARED
        noted = json.loads((folder / "results/kg/hpo/inputs.json").read_text())
        assert result["inputs"] == {
            "kg/hpo": {name: {"modified_ns": None} | one for name, one in noted.items()},
            "questions/hpoquiz": {},
        }

    @pytest.mark.parametrize("variant", VARIANTS)
    def test_every_variant_has_one(self, folder: Path, variant: str) -> None:
        path = folder / f"results/ablations/hpoquiz_smollm_{variant}.json"
        assert json.loads(path.read_text())["n"] == 16

    @pytest.mark.parametrize("variant", ABLATIONS[0]["variants"])
    def test_every_ablation_has_one(self, folder: Path, variant: str) -> None:
        path = folder / f"results/ablations/hpoquiz_smollm_{variant}.json"
        assert json.loads(path.read_text())["about"]["variant"] == variant
        assert f"<td>{variant}</td>" in (folder / "results/ablations.html").read_text()

    def test_seeds_are_trained_apart_and_averaged(self, folder: Path) -> None:
        summary = json.loads((folder / "results/seeds/hpoquiz_smollm.json").read_text())
        assert summary["seeds"] == ABLATIONS[1]["seeds"] == [0, 1, 2]
        assert list(summary["differences"]) == COMPARED
        adapters = [
            (folder / f"results/models/{name}/adapter/adapter_model.safetensors").read_bytes()
            for name in ("hpoquiz_smollm", "hpoquiz_smollm_seed1")
        ]
        assert adapters[0] != adapters[1]

    def test_parents_come_with_their_concepts(self, folder: Path) -> None:
        means = [
            json.loads((folder / f"results/{name}.json").read_text())["concepts"]
            for name in ("hpoquiz_smollm", "ablations/hpoquiz_smollm_parents")
        ]
        assert means[1] > means[0]

    def test_concepts_follow_the_variant(self, folder: Path) -> None:
        """0 concepts a question without the graph, 1 of the question, then the options' too."""
        means = [
            json.loads((folder / f"results/{name}.json").read_text())["concepts"]
            for name in (
                "ablations/hpoquiz_smollm_text_only",
                "hpoquiz_smollm",
                "ablations/hpoquiz_smollm_options",
            )
        ]
        assert means[0] == 0
        assert means[1] >= 1
        assert means[2] >= means[1] + 3

    def test_encoder_is_measured(self, folder: Path) -> None:
        metrics = json.loads((folder / "results/kge/hpo_edgegraphsage.json").read_text())
        assert 0 < metrics["link_prediction"]["test"]["mrr"] <= 1

    def test_encoders_are_compared(self, folder: Path) -> None:
        table = (folder / "results/kge/hpo_comparison.tsv").read_text().splitlines()
        assert {line.split("\t")[0] for line in table} >= set(ENCODERS)

    def test_report_holds_every_run(self, folder: Path) -> None:
        page = (folder / "results/report.html").read_text()
        for variant in VARIANTS:
            assert f"<td>{variant}</td>" in page
        assert page.count("<svg") >= 4

    def test_no_state_is_left(self, folder: Path) -> None:
        assert list((folder / "results/.state").rglob("*.safetensors")) == []


class TestSecondRun:
    def test_does_nothing(self, snakemake: Snakemake) -> None:
        assert NOTHING in snakemake(*SMOKE)

    def test_new_lora_rank_starts_at_phase_1(self, folder: Path, snakemake: Snakemake) -> None:
        change = {"models": {"smollm": {"lora": {"r": 8}}}}
        counts = jobs(snakemake("-n", *with_change(folder, change)))
        counts.pop("all")
        # Neither tables nor questions, and the untrained model's answers stay too.
        trained = {"align": 1, "finetune": 3, "predict": 5, "predict_dev": 1, "score": 5}
        trained["combine"] = 1
        assert counts == trained | {"space": 1, "report_page": 1}

    def test_new_system_message_concerns_the_untrained_model_too(
        self, folder: Path, snakemake: Snakemake
    ) -> None:
        change = {"models": {"smollm": {"system": "Be brief."}}}
        assert jobs(snakemake("-n", *with_change(folder, change)))["predict"] == 6

    def test_new_batch_size_of_answers_trains_nothing(
        self, folder: Path, snakemake: Snakemake
    ) -> None:
        counts = jobs(snakemake("-n", *with_change(folder, {"predict": {"batch_size": 4}})))
        answered = {"predict", "predict_dev", "combine", "score"}
        assert set(counts) == answered | {"report_page", "all"}

    def test_new_learning_rate_of_the_encoder_keeps_the_questions(
        self, folder: Path, snakemake: Snakemake
    ) -> None:
        change = {"encoders": {"edgegraphsage": {"learning_rate": 0.02}}}
        counts = jobs(snakemake("-n", *with_change(folder, change)))
        assert counts["train_encoder"] == 1
        assert not {"tables", "features", "questions", "ground", "base"} & set(counts)

    def test_one_stage_by_will(self, snakemake: Snakemake) -> None:
        target = "results/ablations/hpoquiz_smollm_zero_shot.json"
        output = snakemake(target, *SMOKE, "--forcerun", "score")
        assert jobs(output) == {"score": 1}

    def test_a_lost_stage_is_made_again(self, folder: Path, snakemake: Snakemake) -> None:
        shutil.rmtree(folder / "results/models/hpoquiz_smollm")
        target = "results/models/hpoquiz_smollm/meg.json"
        assert jobs(snakemake(target, *SMOKE)) == {"finetune": 1}
