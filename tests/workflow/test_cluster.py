"""What jobs ask of a cluster, by dry runs. A real Slurm runs them in tests/cluster."""

import importlib.util
import re
from pathlib import Path

import pytest
from yte import process_yaml

from kg.shared.errors import InputError
from tests.workflow.conftest import Snakemake
from tests.workflow.test_config import changed
from workflow.config import load_config

ROOT = Path(__file__).parents[2]


def dry_run(snakemake: Snakemake, folder: Path, change: str, target: str, job: str) -> str:
    """What a dry run with some settings changed prints of a target's job."""
    mine = folder / "mine.yaml"
    mine.write_text(change)
    output = snakemake(
        *("-n", "-p", target, "--default-resources", "slurm_partition=gpu"),
        *("--configfile", "config/published.yaml", str(mine)),
    )
    return next(one for one in output.split("\n\n") if job in one)


def phase_1(snakemake: Snakemake, folder: Path, job: str = "Phase I of llama", **llama: int) -> str:
    change = f"models: {{llama: {llama}}}"
    target = "results/align/llama/meg.json"
    return dry_run(snakemake, folder, change, target, job)


class TestProfile:
    plugin: str | None = "snakemake_executor_plugin_slurm"

    def rules(self, monkeypatch: pytest.MonkeyPatch, **environment: str) -> dict[str, dict]:
        for name, value in {"MEG_CLUSTER": "", **environment}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: self.plugin)
        profile = process_yaml((ROOT / "slurm/config.yaml").read_text())
        return {"default": profile["default-resources"], **profile.get("set-resources", {})}

    def test_rules_with_gpus_have_their_partition(self, monkeypatch: pytest.MonkeyPatch) -> None:
        text = "".join(path.read_text() for path in sorted((ROOT / "workflow/rules").glob("*.smk")))
        rules = re.findall(r"^(?:rule|checkpoint) (\w+):\n(.*?)(?=^\S|\Z)", text, re.M | re.S)
        asking = {
            name for name, body in rules if re.search(r"\bgpu=|\*\*RESOURCES\.training\(", body)
        }
        found = self.rules(monkeypatch, MEG_PARTITION="cpu", MEG_GPU_PARTITION="gpu")
        assert found.pop("default")["slurm_partition"] == "cpu"
        assert found == {name: {"slurm_partition": "gpu"} for name in asking}

    def test_without_settings_the_cluster_decides(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("MEG_PARTITION", "MEG_GPU_PARTITION", "MEG_ACCOUNT"):
            monkeypatch.delenv(name, raising=False)
        assert self.rules(monkeypatch) == {"default": {"mem": "8 GB", "runtime": "2h"}}

    def test_without_the_plugin_the_extra_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.plugin = None
        with pytest.raises(SystemExit, match=r"plugin for Slurm: pip install -e '\.\[slurm\]'"):
            self.rules(monkeypatch)

    def test_a_dry_run_shows_what_a_job_asks_for(
        self, snakemake: Snakemake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.rules(monkeypatch)
        job = phase_1(snakemake, tmp_path, gpus=4, job="rule align:")
        resources = next(line for line in job.splitlines() if "resources: " in line)
        for asked in ("gpu=4", "mem=128 GB", "slurm_partition=gpu"):
            assert f"{asked}," in f"{resources},"


class TestTraining:
    def test_on_one_node(self, snakemake: Snakemake, tmp_path: Path) -> None:
        job = phase_1(snakemake, tmp_path, gpus=4)
        assert "torchrun --standalone --nproc-per-node 4 -m meg.align" in job

    def test_on_two_nodes(self, snakemake: Snakemake, tmp_path: Path) -> None:
        job = phase_1(snakemake, tmp_path, gpus=4, nodes=2)
        assert "srun --nodes 2 --ntasks-per-node 1 --cpus-per-task 32 --gres gpu:4" in job
        assert "torchrun --nnodes 2 --nproc-per-node 4" in job

    @pytest.mark.parametrize(
        ("encoder", "started"),
        [("distmult", "torchrun --standalone --nproc-per-node 4 -m"), ("rdf2vec", "python -m")],
    )
    def test_of_an_encoder(
        self, snakemake: Snakemake, tmp_path: Path, encoder: str, started: str
    ) -> None:
        target = f"results/kg/umls/{encoder}/embeddings.h5"
        job = dry_run(snakemake, tmp_path, "kg: {gpus: 4}", target, f"Graph encoder {encoder}")
        assert f"{started} kg.train --concepts" in job

    def test_nodes_need_gpus(self) -> None:
        with pytest.raises(InputError, match="nodes: 2 of them need gpus: 1 or more"):
            load_config(changed({"models": {"tiny": {"gpus": 0, "nodes": 2}}}))
