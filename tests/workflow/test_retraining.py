"""Which edits of one's own questions train anew: a text-only model of the smoke configuration."""

from pathlib import Path

import pytest

from tests.workflow.conftest import Snakemake
from tests.workflow.test_external import configured, write_questions

pytestmark = pytest.mark.slow

MODEL = "results/models/own_smollm_text_only/meg.json"
ANSWERS = "results/predictions/own_smollm_text_only.jsonl"


def executed(output: str) -> list[str]:
    """What was done, by the first words of the jobs' messages."""
    lines = [line.partition(": ") for line in output.splitlines() if line.startswith("Job ")]
    return [" ".join(message.split()[:2]) for number, _, message in lines if message]


def test_new_test_questions_are_answered_by_the_same_model(
    snakemake: Snakemake, tmp_path: Path
) -> None:
    for split, count in (("train", 16), ("dev", 2), ("test", 4)):
        write_questions(tmp_path / "own", split, count)
    own = {"questions": {"source": "file", "path": "own"}}
    arguments = ("--cores", "2", *configured(tmp_path, datasets={"own": own}))
    assert "Phase II" in executed(snakemake(ANSWERS, *arguments))
    weights = (tmp_path / MODEL).stat().st_mtime_ns
    write_questions(tmp_path / "own", "test", 6)
    done = executed(snakemake(ANSWERS, *arguments, "--forcerun", "questions"))
    assert done == ["Questions of", "Concepts named", "Answers of"]
    assert (tmp_path / MODEL).stat().st_mtime_ns == weights
    assert len((tmp_path / ANSWERS).read_text().splitlines()) == 6
    assert "Nothing to be done" in snakemake("-n", ANSWERS, *arguments)
    write_questions(tmp_path / "own", "train", 17)
    assert "Phase II" in executed(snakemake(MODEL, *arguments))
