"""Results of two graphs never come together in one folder; each can have its own."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from kg.shared.errors import InputError
from tests.workflow.conftest import ROOT, Snakemake
from workflow.config import Config
from workflow.owner import PATHS, at_home, check_owner


def reached(section: Any) -> Iterator[type[BaseModel]]:
    """The sections that a type has, at any depth."""
    if isinstance(section, type) and issubclass(section, BaseModel):
        yield section
        for field in section.model_fields.values():
            yield from reached(field.annotation)
    for part in get_args(section):
        yield from reached(part)


def paths_of(section: type[BaseModel]) -> Iterator[str]:
    """Keys whose value is a path."""
    for name, field in section.model_fields.items():
        if Path in (field.annotation, *get_args(field.annotation)):
            yield name


def test_a_folder_without_results_and_ones_own_are_fine(tmp_path: Path) -> None:
    check_owner(tmp_path / "kg", "hpo")
    (tmp_path / "kg/hpo").mkdir(parents=True)
    (tmp_path / "kg/.umls.7.part").mkdir()
    (tmp_path / "kg/a file").touch()
    check_owner(tmp_path / "kg", "hpo")


def test_another_graphs_are_refused(tmp_path: Path) -> None:
    (tmp_path / "umls").mkdir()
    with pytest.raises(InputError, match=r"of the graph umls .* kg\.name is hpo.*runs/hpo"):
        check_owner(tmp_path, "hpo")


def test_snakemake_says_so_before_it_plans(snakemake: Snakemake, tmp_path: Path) -> None:
    (tmp_path / "results/kg/hpo").mkdir(parents=True)
    output = snakemake("-n", status=1)
    assert "of the graph hpo" in output
    assert "directory: runs/umls" in output
    assert "Job stats" not in output


class TestDirectory:
    def test_files_of_users_are_sought_where_snakemake_was_called(self, tmp_path: Path) -> None:
        (tmp_path / "llm").mkdir()
        values = {
            "directory": "runs/mine",
            "kg": {"name": "kg", "folder": "data/graph", "hpo": {"without": "/cases"}},
            "features": {"model": "llm"},
            "models": {"a": {"base": "llm"}, "b": {"base": "org/llm"}, "c": {"gpus": 0}},
            "datasets": {"data": {"questions": {"source": "file", "path": "data/q"}}},
        }
        assert at_home(values, tmp_path) == {
            "directory": "runs/mine",
            "kg": {"name": "kg", "folder": f"{tmp_path}/data/graph", "hpo": {"without": "/cases"}},
            "features": {"model": f"{tmp_path}/llm"},
            "models": {
                "a": {"base": f"{tmp_path}/llm"},
                "b": {"base": "org/llm"},
                "c": {"gpus": 0},
            },
            "datasets": {"data": {"questions": {"source": "file", "path": f"{tmp_path}/data/q"}}},
        }

    def test_without_one_nothing_is_changed(self, tmp_path: Path) -> None:
        values = {"kg": {"name": "kg", "folder": "data/graph"}}
        assert at_home(values, tmp_path) == values

    def test_every_path_of_the_configuration_is_known(self) -> None:
        """A key of a path that `at_home` does not know would be sought in the directory."""
        known = {keys[-1] for keys in PATHS} | {"deepspeed"}
        sections = [*reached(Config)]
        assert {name for one in sections for name in paths_of(one)} <= known

    def test_results_are_made_there(self, tmp_path: Path) -> None:
        (tmp_path / "mine.yaml").write_text("directory: runs/mine\nkg: {name: other}\n")
        (tmp_path / "results/kg/hpo").mkdir(parents=True)
        command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
        command += ["--cores", "1", "results/pages/report.json", "--configfile"]
        files = [str(ROOT / "config/smoke.yaml"), "mine.yaml"]
        environment = {name: one for name, one in os.environ.items() if name != "MEG_HOME"}
        environment["PYTHONPATH"] = str(ROOT)
        subprocess.run([*command, *files], cwd=tmp_path, env=environment, check=True)
        assert (tmp_path / "runs/mine/results/pages/report.json").is_file()
        made = sorted(path.name for path in tmp_path.glob("[!.]*"))
        assert made == ["mine.yaml", "results", "runs"]
