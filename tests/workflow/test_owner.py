"""Results of two graphs never come together in one folder."""

from pathlib import Path

import pytest

from kg.shared.errors import InputError
from tests.workflow.conftest import Snakemake
from workflow.owner import check_owner


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
    assert "snakemake --directory runs/umls" in output
    assert "Job stats" not in output
