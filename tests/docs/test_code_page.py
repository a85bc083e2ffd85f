"""The functions that the page of the code names are there."""

import importlib
import re
from functools import reduce
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs/explanation/code.md"
NAMED = sorted({*re.findall(r"`([a-z][\w.]*:[\w.]+)`", PAGE.read_text())} - {"module:function"})


def test_five_questions_are_answered() -> None:
    answers = re.split(r"^## ", PAGE.read_text(), flags=re.MULTILINE)[1:]
    assert len(answers) == 5
    assert [answer for answer in answers if not any(name in answer for name in NAMED)] == []


@pytest.mark.parametrize("named", NAMED)
def test_what_is_named_exists(named: str) -> None:
    module, _, path = named.partition(":")
    found = reduce(getattr, path.split("."), importlib.import_module(module))
    assert callable(found) or isinstance(found, property)
