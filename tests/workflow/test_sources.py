"""The workflow on the other sources: an invented Metathesaurus and an invented release of MEG."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmarks.rrf_folder import write_rrf_folder
from kg.tables import read_concepts
from tests.kg.release_folder import write_release_folder
from tests.workflow.conftest import runner
from tests.workflow.test_dag import jobs

pytestmark = pytest.mark.workflow


def run(folder: Path, kg: dict[str, Any], encoder: str) -> dict[str, int]:
    """Run the smoke configuration on a graph, with MedQA questions; which jobs there were.

    Every job is a process of its own, as a user's are.
    """
    change = {
        "kg": kg,
        "encoder": encoder,
        "datasets": {"medqa": {"questions": {"source": "medqa", "path": str(folder / "medqa")}}},
        "comparisons": {"main": ["text_only"], "options": []},
        "targets": [{"dataset": "medqa", "model": "smollm", "variants": ["text_only"]}],
    }
    (folder / "change.yaml").write_text(yaml.safe_dump(change))
    files = ("config/smoke.yaml", str(folder / "change.yaml"))
    return jobs(runner(folder, forks=False)("--cores", "2", "--configfile", *files))


def write_medqa(folder: Path, names: list[str]) -> None:
    """Raw MedQA questions about concepts of these names."""
    folder.mkdir()
    for split, start in (("train", 0), ("dev", 24), ("test", 32)):
        rows = [
            {
                "question": f"Which of these comes with {names[i]}?",
                "options": dict(zip("ABCD", names[i + 1 : i + 5], strict=True)),
                "answer_idx": "ABCD"[i % 4],
            }
            for i in range(start, start + (24 if split == "train" else 8))
        ]
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / f"{split}.jsonl").write_text(lines)


def check_result(folder: Path) -> None:
    result = json.loads((folder / "results/medqa_smollm.json").read_text())
    assert result["n"] == 8
    assert result["concepts"] > 0
    assert list(result["comparisons"]) == ["text_only"]


class TestUMLS:
    def test_an_invented_metathesaurus_runs_from_end_to_end(self, tmp_path: Path) -> None:
        meta = write_rrf_folder(tmp_path / "META", concepts=300)
        rows = [line.split("|") for line in (meta / "MRCONSO.RRF").read_text().splitlines()[:400]]
        write_medqa(tmp_path / "medqa", [row[14] for row in rows if row[1:3] == ["ENG", "P"]])
        kg = {"name": "umls", "source": "umls", "folder": str(meta)}
        counts = run(tmp_path, kg, "edgegraphsage")
        assert counts["train_encoder"] == 1
        assert read_concepts(tmp_path / "results/kg/umls/concepts.parquet").height > 200
        check_result(tmp_path)


class TestRelease:
    def test_its_vectors_are_used_and_no_graph_is_trained(self, tmp_path: Path) -> None:
        release = write_release_folder(tmp_path / "umls", concepts=300)
        vocabulary = (release / "vocab.csv").read_text().splitlines()
        write_medqa(tmp_path / "medqa", [line.split("\t")[1] for line in vocabulary[:60]])
        kg = {"name": "release", "source": "release", "folder": str(release)}
        kg["release"] = {"embeddings": ["graphsage"]}
        counts = run(tmp_path, kg, "graphsage")
        assert not {"train_encoder", "features"} & set(counts)
        check_result(tmp_path)
