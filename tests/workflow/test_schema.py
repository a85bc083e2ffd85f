"""The JSON schema by which editors complete configuration files."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from workflow.schema import schema

CONFIG = Path(__file__).parents[2] / "config"
FILES = sorted(CONFIG.glob("*.yaml"))


def errors(values: Any) -> list[str]:
    return [error.message for error in Draft202012Validator(schema()).iter_errors(values)]


def test_is_up_to_date() -> None:
    """Renewed by: python -m workflow.schema > config/schema.json"""
    assert json.loads((CONFIG / "schema.json").read_text()) == schema()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_fits_every_shipped_file(file: Path) -> None:
    text = file.read_text()
    assert text.startswith("# yaml-language-server: $schema=schema.json\n")
    assert errors(yaml.safe_load(text)) == []


@pytest.mark.parametrize(
    "path",
    [
        "sed",
        "kg.hpo.limt",
        "encoders.sage.epoch",
        "align.training.epoch",
        "datasets.quiz.prompt.anser",
        "datasets.quiz.questions.pth",
        "models.tiny.finetune.training.epoch",
        "variants.mine.model.mapper.widht",
    ],
)
def test_finds_a_misspelt_key(path: str) -> None:
    values: Any = 1
    for key in reversed(path.split(".")):
        values = {key: values}
    assert errors(values) != []
