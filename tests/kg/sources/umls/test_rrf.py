"""RRF files are read as they are, or refused with file, line and next step."""

import gzip
import subprocess
import tempfile
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.shared.errors import InputError
from kg.sources.umls.rrf import COLUMNS, check_rrf, scan_rrf
from tests.kg.sources.umls.rrf_folder import write_rrf

STY = COLUMNS["MRSTY"].split(",")
FIELD = st.text(st.characters(codec="utf-8", exclude_characters="|\n\r"), max_size=12)

# A byte-order mark at the start of a file and a "\r" before a "|" are taken off by the reader.
CUI = st.text("C0123456789", max_size=8)


def _read(folder: Path) -> list[dict[str, str]]:
    return scan_rrf(folder, "MRSTY", STY).collect().to_dicts()


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.fixed_dictionaries({**dict.fromkeys(STY, FIELD), "CUI": CUI}), max_size=5),
    st.booleans(),
)
def test_whatever_is_written_is_read(rows, zipped):
    with tempfile.TemporaryDirectory() as folder:
        write_rrf(Path(folder), "MRSTY", rows, zipped)
        assert _read(Path(folder)) == rows
        codes = scan_rrf(Path(folder), "MRSTY", STY, codes=["TUI", "STY"])
        assert codes.cast(pl.String).collect().to_dicts() == rows


class TestUnusualButRight:
    @pytest.mark.parametrize(
        "name", ['"quoted', "a\u2028b\u0085c", "NA", "null", "  ", "'", "#", "\ufeff", "日本", ""]
    )
    def test_names(self, tmp_path, name):
        row = {**dict.fromkeys(STY, "x"), "STY": name}
        write_rrf(tmp_path, "MRSTY", [row, row])
        assert _read(tmp_path) == [row, row]

    def test_windows_line_ends(self, tmp_path):
        (tmp_path / "MRSTY.RRF").write_bytes(b"C1|T1||A|||\r\nC2|T2||B|||\r\n")
        assert [row["STY"] for row in _read(tmp_path)] == ["A", "B"]

    def test_last_line_without_its_end(self, tmp_path):
        (tmp_path / "MRSTY.RRF").write_bytes(b"C1|T1||A|||\nC2|T2||B|||")
        assert [row["CUI"] for row in _read(tmp_path)] == ["C1", "C2"]

    def test_columns_in_the_order_of_mrfiles(self, tmp_path):
        (tmp_path / "MRFILES.RRF").write_text("MRSTY.RRF|types|STY,CUI|2|1|6|\n")
        (tmp_path / "MRSTY.RRF").write_text("A|C1|\n")
        assert scan_rrf(tmp_path, "MRSTY", ["CUI", "STY"]).collect().rows() == [("C1", "A")]

    def test_fewer_lines_than_mrfiles_says_is_a_warning(self, tmp_path, caplog):
        (tmp_path / "MRFILES.RRF").write_text(f"MRSTY.RRF|types|{COLUMNS['MRSTY']}|6|9|9|\n")
        (tmp_path / "MRSTY.RRF").write_text("C1|T1||A|||\n")
        assert len(_read(tmp_path)) == 1
        assert "has 1 lines, MRFILES.RRF says 9" in caplog.text

    def test_long_lines_across_blocks(self, tmp_path):
        rows = [{**dict.fromkeys(STY, "x"), "STY": "n" * 200_000} for _ in range(5)]
        write_rrf(tmp_path, "MRSTY", rows)
        assert _read(tmp_path) == rows


GOOD = b"C1|T1||A|||\n"


class TestBrokenFile:
    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (GOOD + b"C2|T2||B||\n", "line 2 has 5 fields, expected 6"),
            (GOOD + b"C2|T2||B||||\n", "line 2 has 7 fields, expected 6"),
            (GOOD + b"C2|T2|\n|B||||\n", "line 2 has 2 fields, expected 6"),
            (GOOD + GOOD + b"C2|T2||B", "line 3 has 4 fields and no | at its end"),
            (GOOD + b"\n" + GOOD, "line 2 has 0 fields"),
            (GOOD + b"C2|T2||\xff|||\n", "line 2 is not UTF-8"),
            (GOOD + b"C2|T2||B|||x\n", "line 2 has 7 fields and no | at its end"),
            (GOOD + b"C2|T2||B|||x\r\n", "line 2 has 7 fields and no | at its end"),
            (GOOD + b"\r\n", "line 2 has 0 fields"),
            (b"C2|T2||B||\nC2|T2||B||||\n", "line 1 has 5 fields"),
        ],
    )
    def test_names_the_first_bad_line(self, tmp_path, content, message):
        (tmp_path / "MRSTY.RRF").write_bytes(content)
        with pytest.raises(InputError) as error:
            _read(tmp_path)
        assert message in str(error.value)
        assert "MRSTY.RRF" in str(error.value)
        assert "download it again" in str(error.value)

    def test_counts_lines_over_blocks(self, tmp_path):
        path = tmp_path / "MRSTY.RRF"
        path.write_bytes(GOOD * 60_000 + b"C2|\n")
        with pytest.raises(InputError, match="line 60001 has 1 fields"):
            check_rrf(path, 6)

    def test_gzip_cut_short(self, tmp_path):
        (tmp_path / "MRSTY.RRF.gz").write_bytes(gzip.compress(GOOD * 1000)[:-12])
        with pytest.raises(InputError, match="cannot be unpacked in its first 131072 letters"):
            _read(tmp_path)

    def test_gzip_cut_short_after_many_lines(self, tmp_path):
        (tmp_path / "MRSTY.RRF.gz").write_bytes(gzip.compress(GOOD * 50_000)[:-12])
        with pytest.raises(InputError, match=r"cannot be unpacked after line \d{4,} "):
            scan_rrf(tmp_path, "MRSTY", STY)

    @pytest.mark.parametrize(
        ("parts", "whole"),
        [
            (["MRSTY.RRF.aa.gz", "MRSTY.RRF.ab.gz"], "MRSTY.RRF.gz"),
            (["MRSTY.RRF.gz.00", "MRSTY.RRF.gz.01"], "MRSTY.RRF.gz"),
            (["MRSTY.RRF.aa", "MRSTY.RRF.ab"], "MRSTY.RRF"),
        ],
    )
    def test_in_parts_that_the_named_command_joins(self, tmp_path, parts, whole):
        content = GOOD * 100
        half = len(GOOD) * 50
        pieces = [content[:half], content[half:]]
        if parts[0].endswith(".gz"):
            pieces = [gzip.compress(piece) for piece in pieces]
        elif whole.endswith(".gz"):
            packed = gzip.compress(content)
            pieces = [packed[:20], packed[20:]]
        folder = tmp_path / "a folder"
        folder.mkdir()
        for name, piece in zip(parts, pieces, strict=True):
            (folder / name).write_bytes(piece)
        with pytest.raises(InputError, match=f"in parts: {parts[0]}, {parts[1]}; join") as error:
            scan_rrf(folder, "MRSTY", STY)
        subprocess.run(str(error.value).split("join all of them: ")[1], shell=True, check=True)
        assert (folder / whole).is_file()
        assert scan_rrf(folder, "MRSTY", STY).collect().height == 100

    def test_what_is_no_part(self, tmp_path):
        for name in ("MRSTY.RRF.bak", "MRSTY.RRF.md5", "MRSTY.RRF.aa.txt"):
            (tmp_path / name).write_text("x")
        with pytest.raises(InputError, match="neither"):
            scan_rrf(tmp_path, "MRSTY", STY)

    def test_missing(self, tmp_path):
        with pytest.raises(InputError, match=r"neither MRSTY\.RRF nor MRSTY\.RRF\.gz"):
            _read(tmp_path)

    def test_column_that_mrfiles_does_not_have(self, tmp_path):
        (tmp_path / "MRFILES.RRF").write_text("MRSTY.RRF|types|CUI,STN|2|1|6|\n")
        (tmp_path / "MRSTY.RRF").write_text("C1|A|\n")
        with pytest.raises(InputError, match="expected STY among them"):
            scan_rrf(tmp_path, "MRSTY", ["CUI", "STY"])
