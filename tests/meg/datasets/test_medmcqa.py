import json

import pytest

from kg.shared.errors import InputError
from meg.datasets.medmcqa import read
from meg.datasets.settings import MedMCQAConfig


def row(id, cop, **changes):
    options = {"opa": "a", "opb": "b", "opc": "c", "opd": "d"}
    return {"id": id, "question": "Q?", "cop": cop} | options | changes


def write(folder, train, dev):
    for name, rows in (("train.json", train), ("dev.json", dev)):
        (folder / name).write_text("".join(json.dumps(one) + "\n" for one in rows))
    return folder


class TestRead:
    @pytest.mark.parametrize("first", [0, 1])
    def test_right_option_from_zero_or_one(self, first, tmp_path):
        rows = [row(f"q{i}", i + first) for i in range(4)]
        tests = [one | {"id": "t" + one["id"]} for one in rows]
        splits = read(MedMCQAConfig(path=write(tmp_path, rows, tests)))
        assert [question.answer for question in splits.train] == [0, 1, 2, 3]
        assert [question.answer for question in splits.test] == [0, 1, 2, 3]

    def test_dev_is_drawn_from_train(self, tmp_path):
        rows = [row(f"q{i}", i % 4) for i in range(20)]
        path = write(tmp_path, rows, [row("t1", 0)])
        splits = read(MedMCQAConfig(path=path, dev=5))
        assert [len(questions) for _, questions in splits] == [15, 5, 1]
        assert splits.dev == read(MedMCQAConfig(path=path, dev=5)).dev
        assert splits.dev != read(MedMCQAConfig(path=path, dev=5, seed=1)).dev

    def test_bad_item_is_named(self, tmp_path):
        rows = [row("q1", 0), row("q2", 1, opb=None)]
        splits = read(MedMCQAConfig(path=write(tmp_path, rows, [row("t1", 0)])))
        assert [problem.id for problem in splits.problems] == ["q2"]
        assert "options.1" in splits.problems[0].reason


class TestBadItem:
    @pytest.mark.parametrize("cop", [None, "1", -1, 5, True, 1.0])
    def test_whose_cop_names_no_option_is_named(self, cop, tmp_path):
        path = write(tmp_path, [row("q1", 0)], [row("t1", 0), row("t2", cop), row("t3", 3)])
        splits = read(MedMCQAConfig(path=path))
        assert [question.id for question in splits.test] == ["t1", "t3"]
        assert [problem.id for problem in splits.problems] == ["t2"]
        assert f"cop is {cop!r}" in splits.problems[0].reason


class TestBadFile:
    @pytest.mark.parametrize("cops", [[1, 2], [0, 4]])
    def test_counting_that_cannot_be_told(self, cops, tmp_path):
        rows = [row(f"q{i}", cop) for i, cop in enumerate(cops)]
        with pytest.raises(InputError, match="cannot be told"):
            read(MedMCQAConfig(path=write(tmp_path, rows, rows)))

    def test_empty(self, tmp_path):
        with pytest.raises(InputError, match=r"train\.json is empty"):
            read(MedMCQAConfig(path=write(tmp_path, [], [])))

    def test_missing(self, tmp_path):
        with pytest.raises(InputError, match=r"train\.json does not exist; fetch"):
            read(MedMCQAConfig(path=tmp_path))


class TestHub:
    def test_rows(self, monkeypatch):
        class Hub:
            @staticmethod
            def load_dataset(name, part):
                assert (name, part) == ("openlifescienceai/medmcqa", None)
                return {
                    "train": [row("q1", 3)],
                    "validation": [row("t1", 0), row("t2", -1)],
                    "test": [row("never read", -1)],
                }

        monkeypatch.setitem(__import__("sys").modules, "datasets", Hub)
        splits = read(MedMCQAConfig())
        assert [question.answer for question in (*splits.train, *splits.test)] == [3, 0]
        assert [problem.id for problem in splits.problems] == ["t2"]
