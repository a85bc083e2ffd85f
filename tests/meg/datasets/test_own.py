import json

import pytest

from kg.shared.errors import InputError
from meg.datasets.own import read
from meg.datasets.settings import FileConfig

ROW = {"stem": "Which drug?", "context": "A case.", "options": ["a", "b", "c"], "answer": 2}
MENTION = {"start": 0, "end": 5, "candidates": [{"cui": "X1", "score": 1.0}]}


def write(folder, **splits):
    for split, rows in splits.items():
        (folder / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return FileConfig(path=folder)


def test_questions_as_they_are(tmp_path):
    mentions = {"stem": [MENTION], "options": [[], [], []]}
    row = ROW | {"id": 7, "kind": "drug", "mentions": mentions}
    splits = read(write(tmp_path, train=[ROW], test=[row]))
    [first], [question] = splits.train, splits.test
    assert (first.id, first.context, first.kind, first.mentions) == ("train-1", "A case.", "", None)
    assert (question.id, question.options, question.answer) == ("7", ("a", "b", "c"), 2)
    assert question.mentions.stem[0].candidates[0].cui == "X1"
    assert not splits.dev


def test_a_null_id_is_none(tmp_path):
    splits = read(write(tmp_path, test=[ROW | {"id": None}, ROW | {"id": None}]))
    assert [question.id for question in splits.test] == ["test-1", "test-2"]


@pytest.mark.parametrize(("start", "end"), [(100, 104), (3, 2), (2, 2), (-3, 2), (0, 12)])
@pytest.mark.parametrize("field", ["stem.1", "context.0", "options.2.0"])
def test_a_mention_outside_its_text_is_named(tmp_path, field, start, end):
    wrong = MENTION | {"start": start, "end": end}
    mentions = {
        "stem.1": {"stem": [MENTION, wrong], "options": [[], [], []]},
        "context.0": {"context": [wrong], "options": [[], [], []]},
        "options.2.0": {"options": [[], [], [wrong]]},
    }
    splits = read(write(tmp_path, test=[ROW, ROW | {"id": "q7", "mentions": mentions[field]}]))
    [problem] = splits.problems
    assert problem.id == "q7"
    assert f"q7, mentions.{field}: mention {start}:{end} of a text of" in problem.reason


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"answer": 3}, "answer 3 of 3 options"),
        ({"answer": "c"}, "answer"),
        ({"anwser": 1}, "anwser: Extra inputs"),
        ({"split": "train"}, "split: Extra inputs"),
        ({"options": ["a"]}, "options"),
    ],
)
def test_a_bad_item_is_named(tmp_path, change, reason):
    splits = read(write(tmp_path, test=[ROW, ROW | change]))
    assert len(splits.test) == 1
    [problem] = splits.problems
    assert problem.id == "test-2"
    assert reason in problem.reason


def test_no_test_questions(tmp_path):
    with pytest.raises(InputError, match=r"test\.jsonl does not exist; put train\.jsonl"):
        read(write(tmp_path, train=[ROW]))
