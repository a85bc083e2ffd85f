"""Lines and rows of text files: every one is whole, or its place is named."""

import pytest

from kg.errors import InputError
from kg.lines import numbered_lines, table_rows


@pytest.fixture
def path(tmp_path):
    return tmp_path / "x.tsv"


def _rows(path, text: str, **options: str) -> list[tuple[int, list[str]]]:
    path.write_text(text, encoding="utf-8", newline="")
    return list(table_rows(path, "an id and a name", (2, 3), "fetch it again", **options))


class TestLines:
    def test_only_line_feeds_end_a_line(self, path):
        path.write_bytes("\ufeffa\u2028b\x0bc\r\n\r\n \n\td\t\ne".encode())
        assert list(numbered_lines(path, "")) == [(1, "a\u2028b\x0bc"), (4, "\td\t"), (5, "e")]

    def test_a_line_that_is_not_utf8_is_named(self, path):
        path.write_bytes(b"a\n" * 3000 + b"b\xff\n")
        with pytest.raises(InputError, match=r"x\.tsv line 3001 is not UTF-8"):
            list(numbered_lines(path, ""))

    def test_a_missing_file(self, path):
        with pytest.raises(InputError, match=r"x\.tsv does not exist; fetch it"):
            list(numbered_lines(path, "fetch it"))


class TestTable:
    def test_fields_are_as_they_stand(self, path):
        text = '#c\n1\t "a\n\n2\t\r\n'
        assert _rows(path, text, comment="#") == [(2, ["1", ' "a']), (4, ["2", ""])]

    @pytest.mark.parametrize("row", ["2", "2\tb\tc", "#c"])
    def test_a_row_of_another_width(self, path, row):
        with pytest.raises(InputError, match=r"line 2 has \d columns .* expected an id and a name"):
            _rows(path, f"1\ta\n{row}\n3\tc\n")

    def test_a_first_row_of_another_width(self, path):
        with pytest.raises(InputError, match="line 1 has 4 columns"):
            _rows(path, "1\ta\tb\tc\n")

    def test_a_last_row_that_may_be_cut_off(self, path):
        with pytest.raises(InputError, match=r"line 2, the last one, .* fetch it"):
            _rows(path, "1\ta\n2\tb")
