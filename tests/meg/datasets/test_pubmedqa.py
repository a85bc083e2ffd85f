import json

import numpy as np
import pytest

from kg.shared.errors import InputError
from meg.datasets.pubmedqa import read
from meg.datasets.settings import PubMedQAConfig


def write(folder, **changes):
    """1,000 questions with the ids 0 to 999, some of them changed."""
    rows = {
        str(i): {"QUESTION": f"Is {i} even?", "CONTEXTS": ["One.", "Two."], "final_decision": "no"}
        for i in range(1000)
    }
    for id, change in changes.items():
        rows[id.removeprefix("q")] |= change
    path = folder / "ori_pqal.json"
    path.write_text(json.dumps(rows))
    return path


class TestMegSplit:
    def test_is_the_published_shuffle(self, tmp_path):
        splits = read(PubMedQAConfig(path=write(tmp_path)))
        order = np.random.default_rng(42).permutation(1000)
        assert {int(question.id) for question in splits.train} == set(order[:500].tolist())
        assert {int(question.id) for question in splits.test} == set(order[500:].tolist())

    def test_dev_comes_from_the_training_questions(self, tmp_path):
        path = write(tmp_path)
        published = {question.id for question in read(PubMedQAConfig(path=path)).train}
        splits = read(PubMedQAConfig(path=path, dev=50))
        dev = {question.id for question in splits.dev}
        assert len(dev) == 50
        assert dev | {question.id for question in splits.train} == published

    def test_question(self, tmp_path):
        splits = read(PubMedQAConfig(path=write(tmp_path, q7={"final_decision": "maybe"})))
        found = next(q for _, questions in splits for q in questions if q.id == "7")
        assert found.context == "One.\nTwo."
        assert found.options[found.answer] == "maybe"


class TestOfficialSplit:
    def test_is_read(self, tmp_path):
        keys = tmp_path / "keys.json"
        keys.write_text(json.dumps({str(i): "no" for i in range(500)}))
        config = PubMedQAConfig(path=write(tmp_path), split="official", test_ids=keys)
        assert {int(question.id) for question in read(config).test} == set(range(500))

    def test_unknown_id(self, tmp_path):
        keys = tmp_path / "keys.json"
        keys.write_text('{"x": "no"}')
        config = PubMedQAConfig(path=write(tmp_path), split="official", test_ids=keys)
        with pytest.raises(InputError, match=r"1 of 1 test ids.*first x"):
            read(config)

    def test_other_answers_than_the_questions(self, tmp_path):
        keys = tmp_path / "keys.json"
        keys.write_text('{"1": "no", "2": "yes"}')
        config = PubMedQAConfig(path=write(tmp_path), split="official", test_ids=keys)
        with pytest.raises(InputError, match=r"1 of 2 test ids.*answered otherwise.*first 2"):
            read(config)

    def test_needs_its_ids(self, tmp_path):
        with pytest.raises(InputError, match=r"test_ground_truth\.json, got None; fetch"):
            read(PubMedQAConfig(path=write(tmp_path), split="official"))


class TestBadItem:
    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            ({"final_decision": "perhaps"}, "final_decision"),
            ({"CONTEXTS": []}, "CONTEXTS"),
            ({"CONTEXTS": [1]}, "CONTEXTS"),
            ({"QUESTION": ""}, "stem"),
            ({"QUESTION": " "}, "the stem is empty"),
            ({"QUESTION": None}, "stem"),
        ],
    )
    def test_is_left_out_and_named(self, change, reason, tmp_path):
        splits = read(PubMedQAConfig(path=write(tmp_path, q3=change)))
        (problem,) = splits.problems
        assert (problem.id, problem.kept) == ("3", False)
        assert reason in problem.reason
        assert sum(len(questions) for _, questions in splits) == 999


class TestBadFile:
    def test_missing(self, tmp_path):
        with pytest.raises(InputError, match=r"does not exist; fetch ori_pqal\.json"):
            read(PubMedQAConfig(path=tmp_path / "ori_pqal.json"))

    def test_of_another_size_would_be_split_otherwise(self, tmp_path):
        path = write(tmp_path, q3={})
        rows = json.loads(path.read_text())
        del rows["3"]
        path.write_text(json.dumps(rows))
        with pytest.raises(InputError, match=r"has 999 entries.*expected the 1,000"):
            read(PubMedQAConfig(path=path))

    @pytest.mark.parametrize("text", ['{"1": {"QUEST', "[]", '{"1": {}}', '{"1": 1, "1": 2}'])
    def test_broken(self, text, tmp_path):
        path = tmp_path / "ori_pqal.json"
        path.write_text(text)
        with pytest.raises(InputError, match=r"ori_pqal\.json"):
            read(PubMedQAConfig(path=path))


class TestHub:
    def test_rows(self, monkeypatch):
        class Hub:
            @staticmethod
            def load_dataset(name, part):
                assert (name, part) == ("qiaojin/PubMedQA", "pqa_labeled")
                return {
                    "train": [
                        {
                            "pubid": i,
                            "question": f"Is {i} even?",
                            "context": {"contexts": ["One.", "Two."], "labels": [], "meshes": []},
                            "final_decision": "yes" if i % 2 == 0 else "no",
                        }
                        for i in range(1000)
                    ]
                }

        monkeypatch.setitem(__import__("sys").modules, "datasets", Hub)
        splits = read(PubMedQAConfig())
        assert [len(questions) for _, questions in splits] == [500, 0, 500]
        assert all(question.answer == int(question.id) % 2 for question in splits.test)
        assert splits.test[0].context == "One.\nTwo."
