"""Files of a UMLS Metathesaurus folder (Rich Release Format) to lazy tables, checked line by line.

An RRF line is `field|field|...|`: UTF-8, every field ended by "|", nothing quoted. A CSV reader
fills short lines and cuts long ones without a word, so every file is checked before it is scanned.
Columns: UMLS Reference Manual, chapter 3; where the folder has MRFILES.RRF, that file's.
"""

import gzip
import logging
import re
import shlex
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import polars as pl

from kg.shared.errors import InputError

__all__ = ["CODE", "COLUMNS", "check_rrf", "find_rrf", "scan_rrf"]

COLUMNS = {
    "MRCONSO": "CUI,LAT,TS,LUI,STT,SUI,ISPREF,AUI,SAUI,SCUI,SDUI,SAB,TTY,CODE,STR,SRL,SUPPRESS,CVF",
    "MRREL": "CUI1,AUI1,STYPE1,REL,CUI2,AUI2,STYPE2,RELA,RUI,SRUI,SAB,SL,RG,DIR,SUPPRESS,CVF",
    "MRSTY": "CUI,TUI,STN,STY,ATUI,CVF",
    "MRDEF": "CUI,AUI,ATUI,SATUI,SAB,DEF,SUPPRESS,CVF",
    "MRDOC": "DOCKEY,VALUE,TYPE,EXPL",
    "MRRANK": "RANK,SAB,TTY,SUPPRESS",
    "MRFILES": "FIL,DES,FMT,CLS,RWS,BTS",
}
"""Columns of each file in releases since 2004."""

CODE = pl.Categorical(pl.Categories("RRF", physical=pl.UInt16))
"""Sources, languages, kinds as numbers of two bytes; a release has some thousand such values."""

_BLOCK = 1 << 17
"""Bytes checked at once: they stay in the processor's cache, and in memory that malloc keeps."""
_END = "end"
_PART = re.compile(r"\.RRF(\.gz)?\.([a-z]{2}|\d+)(\.gz)?$")
"""End of a part's name, as `split` makes them: MRCONSO.RRF.aa.gz, MRCONSO.RRF.gz.00."""

log = logging.getLogger(__name__)


def find_rrf(folder: Path, name: str) -> Path | None:
    """`name`.RRF or `name`.RRF.gz of the folder, None where neither is there.

    Raises InputError where the file is there in parts, as some distributions have large ones.
    """
    for path in (folder / f"{name}.RRF", folder / f"{name}.RRF.gz"):
        if path.is_file():
            return path
    parts = sorted(path.name for path in folder.glob(f"{name}.RRF.*") if _PART.search(path.name))
    if parts:
        whole = f"{name}.RRF" + ".gz" * (".gz" in parts[0])
        raise InputError(
            f"{folder} has {name}.RRF in parts: {', '.join(parts)}; join all of them: "
            f"cd {shlex.quote(str(folder))} && cat {' '.join(parts)} > {whole}"
        )
    return None


def scan_rrf(
    folder: Path, name: str, needed: Sequence[str], codes: Sequence[str] = ()
) -> pl.LazyFrame:
    """The `needed` columns of a file, checked first: strings, those of `codes` as `CODE`.

    Empty fields are "". Raises InputError when the file is missing, lacks a column, or has a line
    that is not RRF.
    """
    path = find_rrf(folder, name)
    if path is None:
        raise InputError(
            f"{folder} has neither {name}.RRF nor {name}.RRF.gz; give the META folder of a UMLS "
            "release, or get one by `python -m kg.umls --download --release 2026AA`"
        )
    columns, rows = _listed(folder, name)
    missing = [column for column in needed if column not in columns]
    if missing:
        raise InputError(
            f"{folder}/MRFILES.RRF gives {name}.RRF the columns {','.join(columns)}; expected "
            f"{missing[0]} among them; take MRFILES.RRF from the release of {name}.RRF"
        )
    found = check_rrf(path, len(columns))
    if rows is not None and rows != found:
        log.warning("%s has %d lines, MRFILES.RRF says %d: is it a part?", path, found, rows)
    # The reader takes an empty field for a null in a column of codes, and only there.
    return _scan(path, columns, codes).select(needed).with_columns(pl.col(codes).fill_null(""))


def check_rrf(path: Path, fields: int) -> int:
    """Number of lines, after making sure that each is UTF-8 and has `fields` fields."""
    lines = 0
    try:
        for block in _blocks(path):
            lines += _check_block(block, fields, path, lines)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        place = f"after line {lines}" if lines else f"in its first {_BLOCK} letters"
        raise InputError(
            f"{path} cannot be unpacked {place} ({error}); copy or download it again"
        ) from error
    return lines


def _scan(path: Path, columns: Sequence[str], codes: Sequence[str] = ()) -> pl.LazyFrame:
    # The "|" at the end of a line opens one more column, which is always empty.
    schema = {column: CODE if column in codes else pl.String() for column in [*columns, _END]}
    if not path.stat().st_size:
        return pl.LazyFrame(schema=schema)
    return pl.scan_csv(
        path,
        has_header=False,
        separator="|",
        quote_char=None,
        empty_string_is_null=False,
        schema=schema,
    )


def _listed(folder: Path, name: str) -> tuple[list[str], int | None]:
    """Columns and number of rows by MRFILES.RRF; without it the usual columns and None."""
    path = find_rrf(folder, "MRFILES")
    if path is not None:
        check_rrf(path, 6)
        files = _scan(path, COLUMNS["MRFILES"].split(","))
        entry = files.filter(pl.col("FIL") == f"{name}.RRF").collect()
        if entry.height:
            rows = entry["RWS"][0]
            return entry["FMT"][0].split(","), int(rows) if rows.isdecimal() else None
    return COLUMNS[name].split(","), None


def _blocks(path: Path) -> Iterator[bytes]:
    """The file's bytes in pieces that end where a line ends."""
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        rest = b""
        while piece := file.read(_BLOCK):
            end = piece.rfind(b"\n") + 1
            if end:
                yield rest + piece[:end]
                rest = piece[end:]
            else:
                rest += piece
        if rest:
            yield rest + b"\n"


def _check_block(block: bytes, fields: int, path: Path, before: int) -> int:
    """Number of lines of the block; raises InputError on the first bad one."""
    characters = np.frombuffer(block, dtype=np.uint8)
    ends = np.flatnonzero(characters == ord("\n"))
    starts = np.concatenate([[0], ends[:-1] + 1])
    pipes = (characters == ord("|")).view(np.uint8)
    # One byte a line suffices to count: it is wrong only for 256 fields too many.
    count = np.add.reduceat(pipes, starts, dtype=np.uint8)
    # Windows ends a line with "\r\n".
    last = characters[ends - 1 - (characters[ends - 1] == ord("\r"))]
    complete = (count == fields) & (last == ord("|"))
    if not complete.all() or not _is_utf8(block):
        _raise_first_bad_line(block, fields, path, before)
    return len(ends)


def _is_utf8(block: bytes) -> bool:
    try:
        return block.isascii() or bool(block.decode())
    except UnicodeDecodeError:
        return False


def _raise_first_bad_line(block: bytes, fields: int, path: Path, before: int) -> None:
    for number, line in enumerate(block.split(b"\n")[:-1], before + 1):
        where = f"{path} line {number}"
        if not _is_utf8(line):
            raise InputError(f"{where} is not UTF-8: {line[:80]!r}; copy or download it again")
        *found, rest = line.removesuffix(b"\r").split(b"|")
        if rest or len(found) != fields:
            count = f"{len(found) + bool(rest)} fields" + (" and no | at its end" if rest else "")
            raise InputError(
                f"{where} has {count}, expected {fields} fields, each ended by |; "
                "is the file truncated? copy or download it again"
            )
