"""Lines and rows of text files: every one is whole, or its place is named."""

import gzip

import pytest

from kg.shared.errors import InputError
from kg.shared.lines import (
    Identified,
    json_lines,
    json_object,
    model_lines,
    numbered_lines,
    read_text,
    table_rows,
)


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


class TestJSON:
    def test_a_byte_order_mark_is_no_part_of_any_file(self, path):
        path.write_bytes(b'\xef\xbb\xbf{"id": "a"}\n')
        assert list(json_lines(path, "")) == [(1, {"id": "a"})]
        assert json_object(path, "") == {"id": "a"}
        assert [row.id for row in model_lines(path, Identified, "")] == ["a"]
        assert read_text(path, "") == '{"id": "a"}\n'

    def test_packed_files(self, tmp_path):
        path = tmp_path / "x.jsonl.gz"
        packed = gzip.compress(b'{"id": "a"}\n\n' * 9)
        path.write_bytes(packed)
        assert [number for number, _ in json_lines(path, "")] == list(range(1, 18, 2))
        path.write_bytes(packed[:-9])
        with pytest.raises(InputError, match=r"x\.jsonl\.gz cannot be unpacked"):
            list(json_lines(path, ""))

    @pytest.mark.parametrize(
        ("line", "message"),
        [
            ('{"id": ', "line 2 is not JSON .* fetch it"),
            ("[1]", r"line 2: expected a JSON object, got '\[1\]'; fetch it"),
            ('{"id": 1, "id": 2}', "line 2: the key 'id' stands twice"),
        ],
    )
    def test_a_line_that_is_no_object(self, path, line, message):
        path.write_text(f"{{}}\n{line}\n")
        with pytest.raises(InputError, match=rf"x\.tsv {message}"):
            list(json_lines(path, "fetch it"))

    def test_an_empty_file_where_that_may_be(self, path):
        path.write_text("\n")
        assert list(json_lines(path, "", may_be_empty=True)) == []
        with pytest.raises(InputError, match=r"x\.tsv is empty; fetch it"):
            list(json_lines(path, "fetch it"))

    @pytest.mark.parametrize(
        ("line", "message"),
        [('{"id": "a"}', "the id a stands twice"), ('{"id": ""}', "id: String"), ("{", "Invalid")],
    )
    def test_a_line_that_is_no_model(self, path, line, message):
        path.write_text(f'{{"id": "a"}}\n{line}\n')
        with pytest.raises(InputError, match=rf"x\.tsv line 2: .*{message}.*; make it"):
            list(model_lines(path, Identified, "make it"))
