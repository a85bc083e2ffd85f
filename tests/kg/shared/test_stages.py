"""`kg` and `meg` list their stages at once and run them as `python -m` does."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kg.shared.stages import stages

ROOT = Path(__file__).parents[3]
PACKAGES = ("kg", "meg")


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    # Without the installed packages: a list needs none.
    bare = () if len(arguments) > 1 else ("-S",)
    command = [sys.executable, *bare, "-m", *arguments]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "80"}
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


@pytest.mark.parametrize("package", PACKAGES)
def test_the_list_is_whole_and_fits_a_terminal(package: str) -> None:
    listed = run(package)
    assert listed.returncode == 0, listed.stderr
    lines = listed.stdout.splitlines()
    assert max(map(len, lines)) <= 105
    shown = [line.split()[0] for line in lines[2:]]
    tops = [p.stem for p in (ROOT / package).glob("*.py") if "main(" in p.read_text()]
    assert {*shown} >= {*tops} - {"__main__"}
    assert shown == [*stages(ROOT / package)]


@pytest.mark.parametrize(("package", "folder"), [("kg", "store"), ("meg", "report")])
def test_a_folder_with_a_command_is_a_stage(package: str, folder: str) -> None:
    assert folder in stages(ROOT / package)


@pytest.mark.parametrize("package", PACKAGES)
def test_every_line_says_in_a_sentence_what_a_stage_does(package: str) -> None:
    astray = {name for name, line in stages(ROOT / package).items() if not line.endswith(".")}
    assert astray == set()


@pytest.mark.parametrize(
    ("arguments", "program"),
    [(("kg", "hpo"), "kg hpo"), (("kg.hpo",), "kg hpo"), (("kg", "store", "get"), "kg store get")],
)
def test_a_stage_runs_on_the_other_arguments(arguments: tuple[str, ...], program: str) -> None:
    shown = run(*arguments, "--help")
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.startswith(f"usage: {program} [-h]")


def test_no_stage_is_an_error_that_names_them() -> None:
    failed = run("kg", "trian")
    assert failed.returncode == 2
    assert "kg has no stage 'trian', only comparison, dragon," in failed.stderr
