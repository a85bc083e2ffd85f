"""Files that users bring: their rules read them, and notice what they hold."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import TypeAdapter

from benchmarks.rrf_folder import write_rrf_folder
from kg.sources.umls import rrf
from meg.config import TrainingConfig
from meg.datasets.settings import QuestionsConfig
from tests.kg.sources.release_folder import write_release_folder
from tests.workflow.conftest import ROOT, Snakemake
from tests.workflow.test_dag import jobs
from workflow import external
from workflow.external import (
    graph_files,
    inputs,
    model_files,
    question_files,
    settings_files,
    stamps,
)
from workflow.sections import KG

NOTHING = "Nothing to be done"


def write(folder: Path, *names: str) -> None:
    """Files of these names, and one that no reader takes."""
    for name in (*names, "notes.md"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)


def names(folder: Path, files: list[Path]) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in files}


def graph(**section: Any) -> list[Path]:
    return graph_files(KG(name="x", **section))


def questions(**section: Any) -> list[Path]:
    return question_files(TypeAdapter(QuestionsConfig).validate_python(section))


class TestGraph:
    def test_of_a_metathesaurus_are_those_it_is_read_from(self, tmp_path: Path) -> None:
        folder = write_rrf_folder(tmp_path / "META", concepts=4)
        write(folder, "MRSAT.RRF", "MRDOC.RRF.gz")
        written = {f"{name}.RRF" for name in rrf.COLUMNS} | {"MRDOC.RRF.gz"}
        assert names(folder, graph(source="umls", folder=str(folder))) == {
            name for name in written if (folder / name).is_file()
        }

    def test_of_a_metathesaurus_have_its_vocabulary(self, tmp_path: Path) -> None:
        write(tmp_path, "vocab.csv")
        umls = {"vocabulary": tmp_path / "vocab.csv"}
        assert graph(source="umls", folder="none", umls=umls) == [tmp_path / "vocab.csv"]

    def test_of_a_release_are_all_but_its_neighbours(self, tmp_path: Path) -> None:
        folder = write_release_folder(tmp_path, concepts=40)
        written = {path for path in folder.rglob("*") if path.is_file()}
        found = graph(source="release", folder=str(folder), release={"embeddings": []})
        assert written - set(found) == {folder / "neighbors_data_n25.jsonl"}

    @pytest.mark.parametrize("source", ["hpo", "dragon"])
    def test_of_others_are_those_they_name(self, tmp_path: Path, source: str) -> None:
        write(tmp_path, *external.GRAPH[source])
        found = graph(source=source, folder=str(tmp_path))
        assert names(tmp_path, found) == set(external.GRAPH[source])

    def test_of_a_graph_without_some_papers_are_the_patients_too(self, tmp_path: Path) -> None:
        write(tmp_path, *external.GRAPH["hpo"], "cases.zip")
        without = {"without": tmp_path / "cases.zip"}
        found = graph(source="hpo", folder=str(tmp_path), hpo=without)
        assert names(tmp_path, found) == {*external.GRAPH["hpo"], "cases.zip"}

    def test_of_tables_are_those_that_the_configuration_names(self, tmp_path: Path) -> None:
        read = ["x_nodes.tsv", "edges.sif.gz"]
        write(tmp_path, *read, "edges.tsv")
        table = {"layout": "hetionet", "nodes": {"files": ["x_*.tsv"]}}
        found = graph(source="table", folder=str(tmp_path), table=table)
        assert names(tmp_path, found) == set(read)

    @pytest.mark.parametrize(
        ("source", "read"),
        [("obo", ["moo.obo", "x.obo.gz"]), ("kgx", ["a_nodes.tsv", "edges.jsonl.gz"])],
    )
    def test_of_other_layouts(self, tmp_path: Path, source: str, read: list[str]) -> None:
        write(tmp_path, *read, "edges.csv")
        assert names(tmp_path, graph(source=source, folder=str(tmp_path))) == set(read)

    def test_of_graphs_are_their_tables_and_the_pairs(self, tmp_path: Path) -> None:
        read = [f"{graph}/{name}.parquet" for graph in "ab" for name in ("concepts", "triplets")]
        read.append("m.sssom.tsv")
        write(tmp_path, *read, "c/concepts.parquet")
        found = graph(
            source="merge", folder=str(tmp_path), merge={"graphs": ["a", "b"], "pairs": {}}
        )
        assert names(tmp_path, found) == set(read)

    def test_of_a_package_are_stamped_but_no_inputs(self) -> None:
        found = graph(source="hpo")
        assert len(json.loads(stamps(found))) == 3
        assert inputs(found) == []

    def test_that_are_missing_are_none(self) -> None:
        assert graph(source="umls", folder="data/none", umls={"vocabulary": "none.csv"}) == []


class TestQuestions:
    @pytest.mark.parametrize(
        ("section", "read"),
        [
            ({"source": "file"}, ["train.jsonl", "dev.jsonl", "test.jsonl"]),
            ({"source": "medqa"}, ["test.jsonl", "statement/test.statement.umls_linked.jsonl"]),
            ({"source": "medmcqa"}, ["train.json", "dev.json"]),
            ({"source": "mmlu", "split": "val"}, ["val/anatomy_val.csv"]),
            ({"source": "patients"}, ["GENE/case.json"]),
        ],
    )
    def test_of_a_folder(self, tmp_path: Path, section: dict[str, Any], read: list[str]) -> None:
        write(tmp_path, *read)
        assert names(tmp_path, questions(**section, path=tmp_path)) == set(read)

    def test_of_pubmedqa_are_two(self, tmp_path: Path) -> None:
        write(tmp_path, "ori_pqal.json", "ids.json")
        section = {"path": tmp_path / "ori_pqal.json", "test_ids": tmp_path / "ids.json"}
        assert questions(source="pubmedqa", **section) == list(section.values())

    def test_of_patients_in_a_zip_are_that(self, tmp_path: Path) -> None:
        write(tmp_path, "cases.zip")
        path = tmp_path / "cases.zip"
        assert questions(source="patients", path=path) == [path]
        assert questions(source="hpoquiz", without=path) == [path]

    @pytest.mark.parametrize("source", ["hpoquiz", "mmlu", "pubmedqa"])
    def test_of_none_without_a_path(self, source: str) -> None:
        assert questions(source=source) == []


class TestModel:
    def test_folder_file_and_hub(self, tmp_path: Path) -> None:
        write(tmp_path, "config.json", "model.safetensors", "m.gguf")
        assert names(tmp_path, model_files(str(tmp_path))) == {"config.json", "model.safetensors"}
        assert model_files(str(tmp_path / "m.gguf")) == [tmp_path / "m.gguf"]
        assert model_files("meta-llama/Llama-3.1-8B-Instruct") == []

    def test_settings_of_deepspeed_are_the_projects_where_no_other_is(self) -> None:
        path = "config/deepspeed/zero2_offload.json"
        assert settings_files(TrainingConfig(deepspeed=path), ROOT) == [Path(path)]
        assert settings_files(TrainingConfig(deepspeed=f"x/{path}"), ROOT / "x") == []


class TestStamps:
    def test_are_of_the_content(self, tmp_path: Path) -> None:
        paths = [tmp_path / name / "a.txt" for name in ("1", "2", "3")]
        for path, text in zip(paths, ("same", "same", "else"), strict=True):
            path.parent.mkdir()
            path.write_text(text)
        os.utime(paths[0], (1, 1))
        first, second, third = json.loads(stamps(paths)).values()
        assert first == second != third

    def test_of_large_ones_are_of_size_and_time(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(external, "WHOLE", 3)
        path = tmp_path / "a.txt"
        path.write_text("text")
        os.utime(path, ns=(5, 5))
        [stamp] = json.loads(stamps([path])).values()
        assert stamp == {"bytes": 4, "modified_ns": 5}


def configured(folder: Path, **change: Any) -> tuple[str, ...]:
    """Arguments for the smoke configuration with some values changed."""
    (folder / "change.yaml").write_text(yaml.safe_dump(change))
    return ("--configfile", "config/smoke.yaml", str(folder / "change.yaml"))


def write_questions(folder: Path, split: str, count: int, options: str = "Fever") -> None:
    """Questions of one's own."""
    rows = [
        {"stem": f"Which comes with Ataxia ({i})?", "options": ["Seizure", options], "answer": 0}
        for i in range(count)
    ]
    folder.mkdir(exist_ok=True)
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / f"{split}.jsonl").write_text(lines)


class TestPlanning:
    OWN = "results/questions/own/test.jsonl"

    def test_an_edited_file_is_noticed_by_its_content(
        self, snakemake: Snakemake, tmp_path: Path
    ) -> None:
        path = tmp_path / "own {1}"
        write_questions(path, "test", 4)
        section = {"own": {"questions": {"source": "file", "path": path.name}}}
        arguments = (self.OWN, "--cores", "1", *configured(tmp_path, datasets=section))
        assert jobs(snakemake(*arguments)) == {"questions": 1}
        noted = json.loads((tmp_path / self.OWN).with_name("inputs.json").read_text())
        assert list(noted) == ["own {1}/test.jsonl"]
        os.utime(path / "test.jsonl")
        assert NOTHING in snakemake("-n", *arguments)
        write_questions(path, "test", 4, "Nausea")
        os.utime(path / "test.jsonl", (1, 1))  # Older than what was made of the one before.
        assert jobs(snakemake("-n", *arguments)) == {"questions": 1}

    def test_a_graph_in_a_folder_with_braces(self, snakemake: Snakemake, tmp_path: Path) -> None:
        release = write_release_folder(tmp_path / "umls {x}", concepts=40)
        kg = {"name": "release", "source": "release", "folder": release.name}
        kg |= {"release": {"embeddings": []}}
        arguments = ("--cores", "1", *configured(tmp_path, kg=kg, encoder="text"))
        target = "results/kg/release/concepts.parquet"
        assert jobs(snakemake(target, *arguments)) == {"tables": 1}
        assert NOTHING in snakemake("-n", target, *arguments)
        with (release / "vocab.csv").open("a") as file:
            file.write("C1000000\tanother name\n")
        assert jobs(snakemake("-n", target, *arguments)) == {"tables": 1}

    def test_braces_in_any_path(self, snakemake: Snakemake, tmp_path: Path) -> None:
        (tmp_path / "{c}.jsonl").touch()
        kg = {"name": "umls", "source": "umls", "folder": "{k}"} | {"umls": {"vocabulary": "{v}"}}
        write_questions(tmp_path / "{q}", "test", 1)
        write(tmp_path / "{m}", "config.json")
        shown = snakemake(
            *("-n", "-p", "results/own_smollm.json"),
            *configured(
                tmp_path,
                kg=kg,
                features={"model": "{m}"},
                link={"corpus": str(tmp_path / "{c}.jsonl")},
                models={"smollm": {"base": "{m}"}},
                datasets={"own": {"questions": {"source": "file", "path": "{q}"}}},
            ),
        )
        for path in ("{k}", '"vocabulary":"{v}"', '"model":"{m}"', "{c}", '"base":"{m}"'):
            assert path in shown
        assert '"path":"{q}"' in shown
