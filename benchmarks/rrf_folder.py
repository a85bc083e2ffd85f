"""An invented Metathesaurus folder of any size: true to the format, without a word of the UMLS.

It has what a release has, in shares of our own choice: 70% English atoms, a tenth of them
suppressed, both directions of every relation, one fact in ten from two sources, rows inside a
concept, qualifiers and siblings; names with quotes and non-ASCII letters. Same arguments, same
bytes.

    python -m benchmarks.rrf_folder data/invented --concepts 400
"""

import argparse
from pathlib import Path
from typing import IO

import numpy as np
import polars as pl

__all__ = ["COLUMNS", "INVERSES", "write_rrf_folder"]

COLUMNS = {
    "MRCONSO.RRF": "CUI,LAT,TS,LUI,STT,SUI,ISPREF,AUI,SAUI,SCUI,SDUI,SAB,TTY,CODE,STR,SRL,"
    "SUPPRESS,CVF",
    "MRREL.RRF": "CUI1,AUI1,STYPE1,REL,CUI2,AUI2,STYPE2,RELA,RUI,SRUI,SAB,SL,RG,DIR,SUPPRESS,CVF",
    "MRSTY.RRF": "CUI,TUI,STN,STY,ATUI,CVF",
    "MRDEF.RRF": "CUI,AUI,ATUI,SATUI,SAB,DEF,SUPPRESS,CVF",
    "MRDOC.RRF": "DOCKEY,VALUE,TYPE,EXPL",
    "MRRANK.RRF": "RANK,SAB,TTY,SUPPRESS",
}

INVERSES = {
    "isa": "inverse_isa",
    "may_treat": "may_be_treated_by",
    "has_finding_site": "finding_site_of",
    "part_of": "has_part",
    "causative_agent_of": "has_causative_agent",
}
"""RELA -> the RELA of the opposite row."""

REL_INVERSES = {"PAR": "CHD", "RB": "RN", "AQ": "QB", "RO": "RO", "SIB": "SIB", "SY": "SY"}
_SABS = ("SNOMEDCT_US", "MSH", "NCI", "OMIM", "RXNORM", "LNC")
_TTYS = ("PT", "SY", "AB")
_LATS = ("ENG", "SPA", "FRE")
_TYPES = (
    ("T047", "B2.2.1.2.1", "Disease or Syndrome"),
    ("T121", "A1.4.1.1.1", "Pharmacologic Substance"),
    ("T023", "A1.2.3.1", "Body Part, Organ, or Organ Component"),
    ("T033", "A2.2", "Finding"),
)
_WORDS = (
    [
        "acute",
        "chronic",
        "primary",
        "focal",
        "benign",
        "juvenile",
        "latent",
        "diffuse",
        "severe",
        "“mild”",
    ],
    [
        "renal",
        "nasal",
        "hepatic",
        "cardiac",
        "dermal",
        "ocular",
        "neural",
        "gastric",
        "aortic",
        "oral",
    ],
    ["alv", "bor", "cind", "dral", "ectin", "fous", "glan", "hesp", "iltor", "jün"],
    ["itis", "osis", "oma", "aemia", "opathy", "algia", "ectasia", "in", "plasia", 'ism "type 2"'],
)
_CHUNK = 1_000_000


def write_rrf_folder(
    folder: Path, concepts: int, atoms: int = 4, pairs: int = 6, seed: int = 0
) -> Path:
    """Write `concepts` concepts with `atoms` rows of MRCONSO each and `2 * pairs` of MRREL each.

    Returns `folder`, which then holds the files of `COLUMNS` and MRFILES.RRF.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    tables = {
        "MRCONSO.RRF": (_atoms(rng, start, stop, atoms) for start, stop in _ranges(concepts)),
        "MRREL.RRF": (
            _relations(rng, stop - start, concepts) for start, stop in _ranges(concepts * pairs)
        ),
        "MRSTY.RRF": (_types(start, stop) for start, stop in _ranges(concepts)),
        "MRDEF.RRF": (_definitions(start, stop) for start, stop in _ranges(concepts)),
        "MRDOC.RRF": iter([_inverses()]),
        "MRRANK.RRF": iter([_ranks()]),
    }
    listing = []
    for name, chunks in tables.items():
        with (folder / name).open("wb") as file:
            rows = sum(_write(file, chunk) for chunk in chunks)
        columns = COLUMNS[name]
        size = (folder / name).stat().st_size
        listing.append(f"{name}|invented|{columns}|{columns.count(',') + 1}|{rows}|{size}|\n")
    (folder / "MRFILES.RRF").write_text("".join(listing), encoding="utf-8")
    return folder


def _ranges(count: int) -> list[tuple[int, int]]:
    return [(start, min(count, start + _CHUNK)) for start in range(0, count, _CHUNK)]


def _write(file: IO[bytes], rows: pl.DataFrame) -> int:
    ended = rows.with_columns(end=pl.lit(""))
    ended.write_csv(file, include_header=False, separator="|", quote_style="never")
    return rows.height


def _number(prefix: str, values: np.ndarray, name: str, width: int = 7) -> pl.Expr:
    return (pl.lit(prefix) + pl.Series(name, values).cast(pl.String).str.zfill(width)).alias(name)


def _pick(choices: tuple[str, ...] | list[str], rows: np.ndarray) -> pl.Series:
    return pl.Series(choices).gather(rows)


def _atoms(rng: np.random.Generator, start: int, stop: int, atoms: int) -> pl.DataFrame:
    cui = np.repeat(np.arange(start, stop), atoms)
    rank = np.tile(np.arange(atoms), stop - start)
    first = rank == 0
    sab = _pick(_SABS, rng.integers(0, len(_SABS), len(cui)))
    # The first atom of a concept is English; one in fifty of the first is suppressed.
    lat = np.where(first, 0, rng.choice(3, len(cui), p=[0.6, 0.3, 0.1]))
    suppressed = rng.random(len(cui)) < np.where(first, 0.02, 0.1)
    number = np.arange(start * atoms, stop * atoms)
    code = pl.Series((cui % 99_991).astype(str))
    return pl.select(
        CUI=_number("C", cui, "CUI"),
        LAT=_pick(_LATS, lat),
        TS=pl.Series(np.where(first, "P", "S")),
        LUI=_number("L", number, "LUI"),
        STT=pl.Series(np.where(rank < 2, "PF", "VO")),
        SUI=_number("S", number, "SUI"),
        ISPREF=pl.Series(np.where(rank < 2, "Y", "N")),
        AUI=_number("A", number, "AUI", 8),
        SAUI=pl.lit(""),
        SCUI=code,
        SDUI=pl.lit(""),
        SAB=sab,
        TTY=_pick(_TTYS, rank.clip(max=2)),
        CODE=code,
        STR=_names(cui, rank),
        SRL=pl.lit("0"),
        SUPPRESS=pl.Series(np.where(suppressed, "O", "N")),
        CVF=pl.lit("256"),
    )


def _names(cui: np.ndarray, rank: np.ndarray) -> pl.Series:
    # The digits of the number choose the words, so that names differ between concepts.
    digits = [cui // 10**i % 10 for i in range(4)]
    parts = [_pick(words, d) for words, d in zip(_WORDS, digits, strict=True)]
    group, form = pl.Series((cui // 10_000).astype(str)), pl.Series(rank.astype(str))
    return pl.select(
        pl.format("{} {} {}{}, group {}, form {}", *parts, group, form).alias("STR")
    ).to_series()


def _relations(rng: np.random.Generator, count: int, concepts: int) -> pl.DataFrame:
    kinds = _kinds()
    kind = rng.choice(len(kinds), count, p=kinds["share"].to_numpy())
    one = (rng.random(count) ** 2 * concepts).astype(np.int64)
    two = np.where(rng.random(count) < 0.05, one, rng.integers(0, concepts, count))
    sab, suppressed = rng.integers(0, 5, count), rng.random(count) < 0.05
    again = rng.random(count) < 0.1
    forth = _relation_rows((one, two), kinds[kind], "", sab, suppressed)
    back = _relation_rows((two, one), kinds[kind], "_back", sab, suppressed)
    # A tenth of the facts stands in a second source as well, in place of other rows.
    other = forth.filter(pl.Series(again)).with_columns(SAB=pl.lit("MTH"), SL=pl.lit("MTH"))
    back = back.filter(pl.Series(~again))
    rows = pl.concat([forth, back, other])
    return rows.gather(rng.permutation(rows.height)) if rows.height else rows


def _kinds() -> pl.DataFrame:
    share = 0.42 / len(INVERSES)
    named = [("RO", "RO", rela, back, share) for rela, back in INVERSES.items()]
    named[0] = ("CHD", "PAR", *named[0][2:])
    shares = {"PAR": 0.11, "RB": 0.05, "AQ": 0.07, "RO": 0.05, "SIB": 0.20, "SY": 0.10}
    plain = [(rel, REL_INVERSES[rel], "", "", part) for rel, part in shares.items()]
    columns = ["rel", "rel_back", "rela", "rela_back", "share"]
    return pl.DataFrame(named + plain, columns, orient="row")


def _relation_rows(
    ends: tuple[np.ndarray, np.ndarray],
    kinds: pl.DataFrame,
    side: str,
    sab: np.ndarray,
    suppressed: np.ndarray,
) -> pl.DataFrame:
    one, two = ends
    source = _pick(_SABS, sab)
    return pl.select(
        CUI1=_number("C", one, "CUI1"),
        AUI1=_number("A", one * 4, "AUI1", 8),
        STYPE1=pl.lit("SCUI"),
        REL=kinds["rel" + side],
        CUI2=_number("C", two, "CUI2"),
        AUI2=_number("A", two * 4, "AUI2", 8),
        STYPE2=pl.lit("SCUI"),
        RELA=kinds["rela" + side],
        RUI=_number("R", one * 31 + two, "RUI", 9),
        SRUI=pl.lit(""),
        SAB=source,
        SL=source,
        RG=pl.lit(""),
        DIR=pl.lit(""),
        SUPPRESS=pl.Series(np.where(suppressed, "O", "N")),
        CVF=pl.lit(""),
    )


def _types(start: int, stop: int) -> pl.DataFrame:
    cui = np.arange(start, stop)
    tui, stn, sty = (_pick(column, cui % len(_TYPES)) for column in zip(*_TYPES, strict=True))
    return pl.select(
        CUI=_number("C", cui, "CUI"),
        TUI=tui,
        STN=stn,
        STY=sty,
        ATUI=_number("AT", cui, "ATUI", 8),
        CVF=pl.lit(""),
    )


def _definitions(start: int, stop: int) -> pl.DataFrame:
    cui = np.arange(start + -start % 5, stop, 5)
    return pl.select(
        CUI=_number("C", cui, "CUI"),
        AUI=_number("A", cui * 4, "AUI", 8),
        ATUI=_number("AT", cui, "ATUI", 8),
        SATUI=pl.lit(""),
        SAB=_pick(_SABS, cui % len(_SABS)),
        DEF=pl.lit("An invented finding; see ") + _names(cui, np.zeros_like(cui)),
        SUPPRESS=pl.lit("N"),
        CVF=pl.lit(""),
    )


def _inverses() -> pl.DataFrame:
    rela = [("RELA", a, "rela_inverse", b) for a, b in INVERSES.items()]
    rel = [("REL", a, "rel_inverse", b) for a, b in REL_INVERSES.items()]
    both = rela + rel + [(key, b, kind, a) for key, a, kind, b in rela + rel if a != b]
    return pl.DataFrame(both, COLUMNS["MRDOC.RRF"].split(","), orient="row")


def _ranks() -> pl.DataFrame:
    keys = [(sab, tty) for tty in _TTYS for sab in (*_SABS, "MTH")]
    rows = [(f"{900 - i:04}", sab, tty, "N") for i, (sab, tty) in enumerate(keys)]
    return pl.DataFrame(rows, COLUMNS["MRRANK.RRF"].split(","), orient="row")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="write an invented Metathesaurus folder")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--concepts", type=int, default=400)
    parser.add_argument("--atoms", type=int, default=4, help="rows of MRCONSO a concept")
    parser.add_argument("--pairs", type=int, default=6, help="half the rows of MRREL a concept")
    parser.add_argument("--seed", type=int, default=0)
    write_rrf_folder(**vars(parser.parse_args()))
