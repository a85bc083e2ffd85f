"""Files of described fields are read as they were written, or refused with what is wrong."""

import json
from typing import ClassVar, Literal

import pytest
from pydantic import Field

from kg.shared.documents import Document, read_document, write_document
from kg.shared.errors import InputError


class Weight(Document):
    made_by: ClassVar[str] = "kg.weigh"
    format: Literal["weight-2"] = "weight-2"
    grams: float = Field(alias="g")
    label: str = ""


class Length(Document):
    made_by: ClassVar[str] = "kg.measure"
    format: Literal["length-1"] = "length-1"
    metres: float


@pytest.fixture
def path(tmp_path):
    return tmp_path / "one.json"


def written(path, **values):
    path.write_text(json.dumps(values))
    return path


def test_what_is_written_is_read(path):
    one = Weight(g=2.5)
    write_document(path, one)
    assert json.loads(path.read_text()) == {"format": "weight-2", "g": 2.5, "label": ""}
    assert read_document(path, Weight) == one


def test_one_without_a_format_is_of_the_first_kind_that_it_can_be(path):
    assert read_document(written(path, g=1), Weight, Length) == Weight(g=1)
    assert read_document(written(path, metres=1), Weight, Length) == Length(metres=1)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"format": "weight-3", "g": 1}, "the format 'weight-3', expected weight-2; make it again"),
        ({"format": "weight-2"}, r"no weight-2 \(1 wrong fields, first g: Field required\).*weigh"),
        ({"g": "heavy", "x": 1}, r"2 wrong fields, first g: Input should be a valid number"),
        ({"format": "weight-2", "g": 1, "x": 1}, "first x: Extra inputs"),
    ],
)
def test_another_one_is_refused(path, values, message):
    with pytest.raises(InputError, match=message):
        read_document(written(path, **values), Weight)


def test_the_kinds_that_it_may_be_are_named(path):
    with pytest.raises(InputError, match=r"expected weight-2 or length-1; .* kg\.weigh or kg\.mea"):
        read_document(written(path, format="x"), Weight, Length)


def test_a_list_holds_no_fields(path):
    path.write_text("[1]")
    with pytest.raises(InputError, match=r"holds no fields; name a file that kg\.weigh wrote"):
        read_document(path, Weight)


def test_a_missing_one(path):
    with pytest.raises(InputError, match=r"one\.json does not exist; make it with kg\.weigh"):
        read_document(path, Weight)
