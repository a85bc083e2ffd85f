"""The page and the schema of the files of results."""

import json
from pathlib import Path

import jsonschema
import pytest

from meg.evaluation.prediction import RunRecord
from meg.training.metrics import FinetuneMetrics
from workflow.result_files import page, schema

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("file", "made"),
    [("result_files.md", page), ("results.schema.json", schema)],
    ids=["page", "schema"],
)
def test_is_up_to_date(file, made) -> None:
    """Renewed by the commands that `workflow.result_files` names."""
    assert (ROOT / "docs/reference" / file).read_text() == made() + "\n"


def test_every_field_is_described() -> None:
    rows = [line for line in page().splitlines() if line.startswith("| `")]
    assert len(rows) > 60
    assert [row for row in rows if row.endswith("|  |")] == []


def test_the_schema_takes_files_and_refuses_those_that_lack_a_field() -> None:
    counts = FinetuneMetrics(questions=1, shortened=0, without_concept=0, tokens=9)
    rules = json.loads(schema())
    for document in (counts, RunRecord()):
        jsonschema.validate(document.model_dump(mode="json"), rules)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(counts.model_dump(mode="json", exclude={"tokens"}), rules)
