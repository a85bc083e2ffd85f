import json

import pytest

from kg.shared.errors import InputError
from meg.datasets.medqa import read
from meg.datasets.settings import MedQAConfig

RAW = {"question": "Q?", "options": {"A": "a", "B": "b", "C": "c", "D": "d"}, "answer_idx": "C"}


def entity(start, end, *candidates):
    linked = [{"Concept ID": cui, "Score": score} for cui, score in candidates]
    return {"start_char": start, "end_char": end, "linking_results": linked}


LINKED = {
    "id": "s1",
    "question": {
        "stem": "Fever and rash?",
        "stem_ents": [entity(0, 5, ("C0015967", 0.9), ("C0424755", 0.95))],
        "choices": [
            {"label": "A", "text": "Measles", "text_ents": [entity(0, 7, ("C0025007", 1.0))]},
            {"label": "B", "text": "Gout", "text_ents": []},
        ],
    },
    "answerKey": "B",
}


def write(folder, name, *rows):
    for split in ("train", "dev", "test"):
        path = folder / name.format(split)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return MedQAConfig(path=folder)


class TestRaw:
    def test_question(self, tmp_path):
        splits = read(write(tmp_path, "phrases_no_exclude_{}.jsonl", RAW))
        (question,) = splits.dev
        assert (question.id, question.stem) == ("dev-1", "Q?")
        assert (question.options, question.answer) == (("a", "b", "c", "d"), 2)

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            ({"answer_idx": "E"}, "answer_idx"),
            ({"answer_idx": ["A"]}, "answer_idx"),
            ({"options": None}, "answer_idx"),
            ({"question": ""}, "stem"),
            ({"options": RAW["options"] | {"A": " "}}, "an option is empty"),
        ],
    )
    def test_bad_item_is_named(self, change, reason, tmp_path):
        splits = read(write(tmp_path, "{}.jsonl", RAW, RAW | change))
        assert len(splits.test) == 1
        assert {problem.id for problem in splits.problems} == {"train-2", "dev-2", "test-2"}
        assert all(reason in problem.reason for problem in splits.problems)

    @pytest.mark.parametrize("again", ["b", " B."])
    def test_an_option_that_stands_twice_is_told_but_kept(self, again, tmp_path):
        row = RAW | {"options": RAW["options"] | {"A": again}}
        splits = read(write(tmp_path, "{}.jsonl", row))
        assert len(splits.test) == 1
        assert all(problem.kept for problem in splits.problems)
        assert len(splits.problems) == 3


class TestLinked:
    NAME = "statement/{}.statement.umls_linked.jsonl"

    def write(self, folder, *rows):
        """Each split gets its own ids, as published."""
        for split in ("train", "dev", "test"):
            path = folder / self.NAME.format(split)
            path.parent.mkdir(parents=True, exist_ok=True)
            lines = [json.dumps(row | {"id": f"{split}-{row['id']}"}) for row in rows]
            path.write_text("\n".join(lines) + "\n")
        return MedQAConfig(path=folder)

    def test_entities_become_mentions_best_first(self, tmp_path):
        (question,) = read(self.write(tmp_path, LINKED)).test
        assert (question.id, question.answer) == ("test-s1", 1)
        (mention,) = question.mentions.stem
        assert question.stem[mention.start : mention.end] == "Fever"
        assert [one.cui for one in mention.candidates] == ["C0424755", "C0015967"]
        assert [len(found) for found in question.mentions.options] == [1, 0]

    def test_a_null_id_is_none(self, tmp_path):
        config = self.write(tmp_path, LINKED)
        row = json.dumps(LINKED | {"id": None}) + "\n"
        (tmp_path / self.NAME.format("test")).write_text(row * 2)
        assert [question.id for question in read(config).test] == ["test-1", "test-2"]

    def test_repeated_id_is_left_out(self, tmp_path):
        splits = read(self.write(tmp_path, LINKED, LINKED))
        assert len(splits.test) == 1
        assert {problem.reason for problem in splits.problems} == {"the id stands twice"}

    def test_offsets_beyond_the_text(self, tmp_path):
        stem = LINKED["question"] | {"stem_ents": [entity(0, 99, ("C1", 1.0))]}
        splits = read(self.write(tmp_path, LINKED | {"question": stem}))
        assert not splits.test
        assert (
            "mentions.stem.0: mention 0:99 of a text of 15 characters" in splits.problems[0].reason
        )

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            ({"answerKey": None}, "not in list"),
            ({"question": {"stem": "Q?"}}, "KeyError 'choices'"),
            ({"question": LINKED["question"] | {"stem_ents": None}}, "TypeError"),
            (
                {"question": LINKED["question"] | {"stem_ents": [entity(0, 5, ("C1", "x"))]}},
                "TypeError",
            ),
        ],
    )
    def test_bad_item_is_named_in_one_line(self, change, reason, tmp_path):
        splits = read(self.write(tmp_path, LINKED, LINKED | {"id": "s2"} | change))
        assert [question.id for question in splits.test] == ["test-s1"]
        assert [problem.id for problem in splits.problems] == ["train-s2", "dev-s2", "test-s2"]
        assert reason in splits.problems[0].reason
        assert "\n" not in splits.problems[0].reason

    def test_without_a_key_is_not_taken_for_a_raw_item(self, tmp_path):
        splits = read(self.write(tmp_path, {k: v for k, v in LINKED.items() if k != "answerKey"}))
        assert "not a linked statement: KeyError 'answerKey'" in splits.problems[0].reason

    def test_unknown_key(self, tmp_path):
        splits = read(self.write(tmp_path, LINKED | {"answerKey": "E"}))
        assert [problem.id for problem in splits.problems] == ["train-s1", "dev-s1", "test-s1"]


class TestBadFile:
    def test_missing(self, tmp_path):
        with pytest.raises(InputError, match=r"has none of phrases_no_exclude_train\.jsonl"):
            read(MedQAConfig(path=tmp_path))

    def test_broken_line(self, tmp_path):
        config = write(tmp_path, "{}.jsonl", RAW)
        with (tmp_path / "train.jsonl").open("a") as file:
            file.write('{"question": ')
        with pytest.raises(InputError, match=r"train\.jsonl line 2 is not JSON"):
            read(config)

    def test_key_that_stands_twice(self, tmp_path):
        config = write(tmp_path, "{}.jsonl", RAW)
        with (tmp_path / "dev.jsonl").open("a") as file:
            file.write('{"question": "a", "question": "b"}')
        with pytest.raises(InputError, match=r"dev\.jsonl line 2: the key 'question' stands twice"):
            read(config)

    def test_empty(self, tmp_path):
        config = write(tmp_path, "{}.jsonl", RAW)
        (tmp_path / "train.jsonl").write_text("")
        with pytest.raises(InputError, match=r"train\.jsonl is empty"):
            read(config)

    def test_not_utf8(self, tmp_path):
        config = write(tmp_path, "{}.jsonl", RAW)
        (tmp_path / "train.jsonl").write_bytes(b'{"question": "\xff"}\n')
        with pytest.raises(InputError, match="not UTF-8"):
            read(config)


class TestHub:
    def test_package_missing(self, monkeypatch):
        monkeypatch.setitem(__import__("sys").modules, "datasets", None)
        with pytest.raises(InputError, match=r"pip install datasets.*fetch MedQA"):
            read(MedQAConfig())

    def test_hub_out_of_reach(self, monkeypatch):
        class Offline:
            @staticmethod
            def load_dataset(name, part):
                raise ConnectionError("no network")

        monkeypatch.setitem(__import__("sys").modules, "datasets", Offline)
        with pytest.raises(InputError, match=r"GBaker.*\(no network\); fetch MedQA"):
            read(MedQAConfig())

    def test_rows(self, monkeypatch):
        class Hub:
            @staticmethod
            def load_dataset(name, part):
                return {"train": [RAW, RAW | {"answer_idx": "A"}], "test": [RAW]}

        monkeypatch.setitem(__import__("sys").modules, "datasets", Hub)
        splits = read(MedQAConfig())
        assert [len(questions) for _, questions in splits] == [2, 0, 1]
