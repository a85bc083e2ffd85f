import pytest

from kg.shared.errors import InputError
from meg.datasets.mmlu import read
from meg.datasets.settings import MMLUConfig


def write(folder, text, subject="anatomy"):
    (folder / "test").mkdir(exist_ok=True)
    (folder / "test" / f"{subject}_test.csv").write_text(text, encoding="utf-8")
    return MMLUConfig(path=folder, subjects=("anatomy",))


class TestRead:
    def test_quoted_text(self, tmp_path):
        config = write(tmp_path, '"Which, ""here"",\nis it?",a,"b, c",d,e,B\nSecond?,1,2,3,4,D\n')
        splits = read(config)
        first, second = splits.test
        assert (first.id, first.kind) == ("anatomy-test-1", "anatomy")
        assert first.stem == 'Which, "here",\nis it?'
        assert (first.options[first.answer], second.answer) == ("b, c", 3)
        assert not splits.train

    def test_unknown_letter_is_named(self, tmp_path):
        splits = read(
            write(tmp_path, "".join(f"Q?,1,2,3,4,{x}\n" for x in ["E", "", "AB", "3", "A"]))
        )
        assert [problem.id[-1] for problem in splits.problems] == ["1", "2", "3", "4"]
        assert "answer 'AB'" in splits.problems[2].reason
        assert len(splits.test) == 1

    @pytest.mark.parametrize("mark", ["", "\ufeff"])
    @pytest.mark.parametrize(
        ("header", "answers"),
        [
            ("", "DAB"),
            ("", "301"),
            ("question,choice0,choice1,choice2,choice3,answer\n", "301"),
            ("Question,A,B,C,D,Answer\n", "DAB"),
        ],
    )
    def test_layouts_in_circulation(self, tmp_path, mark, header, answers):
        rows = "".join(f"Q{i}?,a,b,c,d,{answer}\n" for i, answer in enumerate(answers))
        splits = read(write(tmp_path, f"{mark}{header}{rows}\n"))
        assert [question.answer for question in splits.test] == [3, 0, 1]
        assert [question.stem for question in splits.test] == ["Q0?", "Q1?", "Q2?"]
        assert splits.test[0].id == "anatomy-test-1"


class TestRepeated:
    TEXT = "Q?,1,2,3,4,A\nQ?,1,2,3,4,B\nq ?,1,2,3,4,A\nQ?,2,1,3,4,A\n"

    @pytest.mark.parametrize(("repeated", "kept"), [("keep", [1, 2, 3, 4]), ("drop", [1, 4])])
    def test_text_and_options_in_one_subject(self, tmp_path, repeated, kept):
        write(tmp_path, self.TEXT)
        path = write(tmp_path, self.TEXT, subject="virology").path
        subjects = ("anatomy", "virology")
        splits = read(MMLUConfig(path=path, subjects=subjects, repeated=repeated))
        ids = [f"{subject}-test-{number}" for subject in subjects for number in kept]
        assert [question.id for question in splits.test] == ids
        assert all("stood before" in problem.reason for problem in splits.problems)


class TestBadFile:
    def test_empty(self, tmp_path):
        with pytest.raises(InputError, match=r"anatomy_test\.csv is empty"):
            read(write(tmp_path, ""))

    def test_missing_subject(self, tmp_path):
        write(tmp_path, "Q?,1,2,3,4,A\n")
        config = MMLUConfig(path=tmp_path, subjects=("anatomy", "virology"))
        with pytest.raises(InputError, match=r"virology_test\.csv does not exist; fetch"):
            read(config)

    def test_columns(self, tmp_path):
        with pytest.raises(InputError, match=r"anatomy_test\.csv line 2 has 5 columns, expected 6"):
            read(write(tmp_path, "Q?,1,2,3,4,A\nQ?,1,2,3,4\n"))

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("answer,question,A,B,C,D\n0,Q?,1,2,3,4\n", "line 1 is the header answer,question"),
            ("question,A,B,C,D,answer\nQ?,1,2,3,4,1\nQ?,1,2,3,4,4\n", "from 1 to 4"),
            ("question,subject,choices,answer\n", "line 1 has 4 columns"),
        ],
    )
    def test_another_layout(self, tmp_path, text, message):
        with pytest.raises(InputError, match=rf"anatomy_test\.csv .*{message}"):
            read(write(tmp_path, text))

    def test_cut_inside_a_quote(self, tmp_path):
        with pytest.raises(InputError, match=r"anatomy_test\.csv line 1"):
            read(write(tmp_path, '"Q?,1,2,3'))


class TestHub:
    def test_rows(self, monkeypatch):
        class Hub:
            @staticmethod
            def load_dataset(name, part):
                assert (name, part) == ("cais/mmlu", "anatomy")
                return {
                    "validation": [
                        {"question": "Q?", "choices": ["1", "2", "3", "4"], "answer": 2},
                        {"question": "Q?", "choices": ["1", "2"], "answer": 2},
                        {"question": "Q?", "choices": None, "answer": None},
                    ]
                }

        monkeypatch.setitem(__import__("sys").modules, "datasets", Hub)
        splits = read(MMLUConfig(subjects=("anatomy",), split="val"))
        assert [(question.id, question.answer) for question in splits.test] == [
            ("anatomy-val-1", 2)
        ]
        assert [problem.id for problem in splits.problems] == ["anatomy-val-2", "anatomy-val-3"]
