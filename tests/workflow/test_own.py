"""config/own.yaml and its invented graph: what a user starts from."""

import subprocess
import sys
from pathlib import Path

import pytest

from kg.sources.settings import TableConfig
from kg.sources.table import read_graph
from meg.datasets.quiz import build
from meg.datasets.settings import GraphQuizConfig
from tests.workflow.conftest import ROOT, Snakemake
from workflow.config import Config, load_config
from workflow.configfiles import read_files
from workflow.layers import merge

OWN = ROOT / "config/own.yaml"
ANIMALS = ROOT / "examples/animals"


@pytest.fixture(scope="module")
def config() -> Config:
    values: dict[str, object] = {}
    for layer in read_files([ROOT / "config/demo.yaml", OWN]).values():
        values = merge(values, layer)
    return load_config(values)


def test_the_graph_is_what_the_script_writes(tmp_path: Path) -> None:
    script = ROOT / "examples/invent.py"
    subprocess.run([sys.executable, str(script), str(tmp_path)], check=True)
    for name in ("edges.tsv", "nodes.tsv"):
        assert (tmp_path / name).read_bytes() == (ANIMALS / name).read_bytes()


def test_a_dozen_lines() -> None:
    lines = [line for line in OWN.read_text().splitlines() if not line.startswith("#")]
    assert len(lines) <= 15


def test_every_rule_that_ignores_the_graph_is_worth_chance(config: Config) -> None:
    table = config.kg.table
    assert isinstance(table, TableConfig)
    concepts, triplets, files = read_graph(ANIMALS, table)
    assert (concepts.height, triplets.height) == (506, 3031)
    assert not any(rows["dropped"] for rows in files.values())
    questions = config.questions_of("own")
    assert isinstance(questions, GraphQuizConfig)
    quiz = build(questions, concepts, triplets)
    for rule, accuracy in quiz.facts["shortcuts"].items():
        assert accuracy["all"] == pytest.approx(0.25, abs=0.03), rule


def test_all_of_it_is_planned(snakemake: Snakemake) -> None:
    """A quiz of a graph that is not the HPO; two trainings, four results and the report."""
    shown = snakemake("-n", "--configfile", "config/demo.yaml", "config/own.yaml")
    jobs = dict(line.split() for line in shown.splitlines() if len(line.split()) == 2)
    assert (jobs["questions"], jobs["finetune"], jobs["score"]) == ("1", "2", "4")
    assert jobs["report_page"] == "1"
