"""The workflow on the other sources: a Metathesaurus, a release of MEG, DRAGON's; all invented."""

import json
from pathlib import Path
from typing import Any, ClassVar

import pytest
import yaml

from benchmarks.rrf_folder import write_rrf_folder
from kg.graph.tables import read_concepts
from kg.linking.linker import Linker
from kg.store import EmbeddingStore
from tests.kg.sources.release_folder import write_release_folder
from tests.workflow.conftest import Snakemake, runner
from tests.workflow.test_dag import jobs

pytestmark = pytest.mark.slow


def configured(folder: Path, kg: dict[str, Any], encoder: str, **more: Any) -> tuple[str, ...]:
    """Arguments for the smoke configuration on a graph, with MedQA questions."""
    change = {
        "kg": kg,
        "encoder": encoder,
        "datasets": {"medqa": {"questions": {"source": "medqa", "path": str(folder / "medqa")}}},
        "comparisons": {"main": ["text_only"], "options": []},
        "targets": [{"dataset": "medqa", "model": "smollm", "variants": ["text_only"]}],
        **more,
    }
    (folder / "change.yaml").write_text(yaml.safe_dump(change))
    return ("--configfile", "config/smoke.yaml", str(folder / "change.yaml"))


def run(folder: Path, kg: dict[str, Any], encoder: str) -> dict[str, int]:
    """Run it; which jobs there were. Every job is a process of its own, as a user's are."""
    return jobs(runner(folder, forks=False)("--cores", "2", *configured(folder, kg, encoder)))


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


def write_dragon_folder(folder: Path, release: Path) -> Path:
    """The graph of a release in DRAGON's files."""
    folder.mkdir()
    vocabulary = (release / "vocab.csv").read_text()
    (folder / "concept_names.txt").write_text(vocabulary)
    cuis = [line.split("\t")[0] for line in vocabulary.splitlines()]
    (folder / "concepts.txt").write_text("\n".join(cuis))
    triplets = map(json.loads, (release / "triplets.jsonl").read_text().splitlines())
    edges = "".join(f"{one['rel']}\t{one['a']}\t{one['b']}\t1.0\n" for one in triplets)
    (folder / "umls.csv").write_text(edges)
    return folder


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
    PARENTS: ClassVar = ["C1000007", "C1000003"]
    """Of every concept, other than by the triplets."""

    @pytest.fixture
    def kg(self, tmp_path: Path) -> dict[str, Any]:
        """An invented release as the graph, and questions about its concepts."""
        release = write_release_folder(tmp_path / "umls", concepts=300)
        vocabulary = (release / "vocab.csv").read_text().splitlines()
        write_medqa(tmp_path / "medqa", [line.split("\t")[1] for line in vocabulary[:60]])
        kg = {"name": "release", "source": "release", "folder": str(release)}
        return kg | {"release": {"embeddings": ["graphsage"]}}

    def test_its_vectors_are_used_and_no_graph_is_trained(
        self, tmp_path: Path, kg: dict[str, Any]
    ) -> None:
        counts = run(tmp_path, kg, "graphsage")
        assert not {"train_encoder", "features"} & set(counts)
        check_result(tmp_path)

    def test_its_own_parents_come_with_the_questions(
        self, tmp_path: Path, snakemake: Snakemake, kg: dict[str, Any]
    ) -> None:
        lists = [{f"C{1_000_000 + number}": self.PARENTS} for number in range(300)]
        lines = "".join(json.dumps(one) + "\n" for one in lists)
        (tmp_path / "umls/vocab_parents.jsonl").write_text(lines)
        arguments = configured(tmp_path, kg, "graphsage", prompt={"parents": 2})
        counts = jobs(snakemake("-n", "results/medqa_smollm.json", *arguments))
        assert counts["tables"] == counts["neighbours"] == 1
        target = "results/neighbours/medqa/test.jsonl"
        assert set(jobs(snakemake(target, "--cores", "1", *arguments))) == {
            *("tables", "linker", "questions", "ground", "neighbours")
        }
        for line in (tmp_path / target).read_text().splitlines():
            found = json.loads(line)["neighbours"].values()
            assert [one["parents"] for one in found] == [self.PARENTS] * len(found) != []


class TestDragon:
    def test_its_graph_is_trained_and_linked(self, tmp_path: Path, snakemake: Snakemake) -> None:
        release = write_release_folder(tmp_path / "umls", concepts=120)
        folder = write_dragon_folder(tmp_path / "dragon", release)
        kg = {"name": "dragon", "source": "dragon", "folder": str(folder)}
        arguments = configured(tmp_path, kg, "edgegraphsage")
        counts = jobs(snakemake("-n", "results/medqa_smollm.json", *arguments))
        assert counts["tables"] == counts["train_encoder"] == counts["linker"] == 1
        store = "results/kg/dragon/edgegraphsage/embeddings.h5"
        snakemake(store, "results/kg/dragon/linker", "--cores", "1", *arguments)
        assert len(EmbeddingStore(tmp_path / store)) == 120
        linker = Linker.load(tmp_path / "results/kg/dragon/linker")
        [mention] = linker.link("an acute renal stenitis type 1")
        assert mention.candidates[0].cui == "C1000000"


class TestTable:
    def test_a_table_of_names_becomes_a_graph_anew_when_it_changes(
        self, tmp_path: Path, snakemake: Snakemake
    ) -> None:
        edges = tmp_path / "mine" / "edges.tsv"
        edges.parent.mkdir()
        rows = "".join(f"animal {i}\teats\tplant {i % 7}\n" for i in range(40))
        edges.write_text("head\trelation\ttail\n" + rows)
        kg = {"name": "mine", "source": "table", "folder": "mine"}
        arguments = ("--cores", "1", *configured(tmp_path, kg, "distmult"))
        target = "results/kg/mine/concepts.parquet"
        assert jobs(snakemake(target, *arguments)) == {"tables": 1}
        assert read_concepts(tmp_path / target).height == 47
        assert "Nothing to be done" in snakemake("-n", target, *arguments)
        edges.write_text(edges.read_text() + "animal 40\teats\tplant 0\n")
        assert jobs(snakemake("-n", target, *arguments)) == {"tables": 1}
