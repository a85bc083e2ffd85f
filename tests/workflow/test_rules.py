"""What the rule files say, and the modules behind them."""

import re
from pathlib import Path

import pytest

RULES = sorted((Path(__file__).parents[2] / "workflow/rules").glob("*.smk"))
RULE = re.compile(r"^ *(?:rule|checkpoint) (\w+):$(.*?)(?=^ *(?:rule|checkpoint) |\Z)", re.M | re.S)
COMMAND = re.compile(r"(?:python -m|\{params\.launch\}) ([\w.{}]+)")
DIGEST = re.compile(r"code=code\(f?\"([\w.{}]+)\"\)")


def commands() -> list[tuple[str, str, str]]:
    """Rule, its text and the module that its command runs."""
    found = (pair for file in RULES for pair in RULE.findall(file.read_text()))
    return [(name, body, module) for name, body in found for module in COMMAND.findall(body)]


def test_every_stage_is_found() -> None:
    assert len(commands()) >= 16


@pytest.mark.parametrize(("name", "body", "module"), commands(), ids=lambda part: part[:20])
def test_digest_is_of_the_module_that_the_command_runs(name: str, body: str, module: str) -> None:
    """kg.{params.source} is kg.{CONFIG.kg.source}."""
    digests = [one.replace("CONFIG.kg.", "params.") for one in DIGEST.findall(body)]
    assert digests == [module], name


def test_rule_files_hold_rules() -> None:
    common = next(file for file in RULES if file.name == "common.smk")
    assert len(common.read_text().splitlines()) <= 80
