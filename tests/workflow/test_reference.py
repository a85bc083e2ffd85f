"""The page of all keys."""

from pathlib import Path

from workflow.reference import reference

ROOT = Path(__file__).parents[2]


def test_is_up_to_date() -> None:
    """Renewed by: python -m workflow.reference > config/README.md"""
    assert (ROOT / "config/README.md").read_text() == reference() + "\n"


def test_every_key_is_described() -> None:
    rows = [line for line in reference().splitlines() if line.startswith("| `")]
    assert len(rows) > 100
    assert [row for row in rows if row.endswith("|  |")] == []
