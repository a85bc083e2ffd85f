import pytest

from kg.errors import InputError
from meg.config import MMLUConfig
from meg.datasets.mmlu import read


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
        splits = read(write(tmp_path, "Q?,1,2,3,4,E\nQ?,1,2,3,4,\nR?,1,2,3,4,A\n"))
        assert [problem.id for problem in splits.problems] == ["anatomy-test-1", "anatomy-test-2"]
        assert len(splits.test) == 1


class TestBadFile:
    def test_missing_subject(self, tmp_path):
        write(tmp_path, "Q?,1,2,3,4,A\n")
        config = MMLUConfig(path=tmp_path, subjects=("anatomy", "virology"))
        with pytest.raises(InputError, match=r"virology_test\.csv does not exist; fetch"):
            read(config)

    def test_columns(self, tmp_path):
        with pytest.raises(InputError, match=r"anatomy_test\.csv line 2 has 5 columns, expected 6"):
            read(write(tmp_path, "Q?,1,2,3,4,A\nQ?,1,2,3,4\n"))

    def test_cut_inside_a_quote(self, tmp_path):
        with pytest.raises(InputError, match=r"anatomy_test\.csv line 1"):
            read(write(tmp_path, '"Q?,1,2,3'))
