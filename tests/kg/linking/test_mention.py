"""Mentions are plain, and checked where a file is read."""

import pytest
from pydantic import TypeAdapter, ValidationError

from kg.linking.mention import Candidate, Mention

MENTION = {"start": 0, "end": 2, "candidates": [{"cui": "C1", "score": 0.5}]}


def test_read_from_json():
    read = TypeAdapter(Mention).validate_python(MENTION)
    assert read == Mention(0, 2, (Candidate("C1", 0.5),))


@pytest.mark.parametrize("wrong", [{"start": "x"}, {"other": 1}, {"candidates": [{"cui": "C1"}]}])
def test_wrong_fields_are_refused(wrong):
    with pytest.raises(ValidationError):
        TypeAdapter(Mention).validate_python(MENTION | wrong)
