"""The page of all commands."""

from pathlib import Path

import pytest

from workflow.commands import command_of, commands_page

ROOT = Path(__file__).parents[2]


def test_is_up_to_date() -> None:
    """Renewed by: python -m workflow.commands > docs/reference/commands.md"""
    assert (ROOT / "docs/reference/commands.md").read_text() == commands_page() + "\n"


def test_every_option_is_described() -> None:
    rows = [line for line in commands_page().splitlines() if line.startswith("| `")]
    assert len(rows) > 100
    assert [row for row in rows if row.endswith("|  |")] == []


def test_a_module_that_is_not_there() -> None:
    with pytest.raises(ModuleNotFoundError):
        command_of("kg.nothing")
