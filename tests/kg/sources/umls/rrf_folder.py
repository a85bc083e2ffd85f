"""Invented RRF folders, row by row: the fields that matter are named, the others are empty."""

import gzip
from pathlib import Path

from kg.sources.umls.rrf import COLUMNS

__all__ = ["atom", "relation", "write_folder", "write_rrf"]

Row = dict[str, str]


def atom(cui: str, name: str, **fields: str) -> Row:
    """A preferred English atom of MSH, unless `fields` say otherwise."""
    preferred = {"LAT": "ENG", "TS": "P", "STT": "PF", "ISPREF": "Y", "SUPPRESS": "N"}
    return {"CUI": cui, "STR": name, "SAB": "MSH", "TTY": "PT", **preferred, **fields}


def relation(first: str, rel: str, second: str, rela: str = "", **fields: str) -> Row:
    """A row of MRREL: `second` is (or has) `rel` / `rela` to `first`."""
    row = {"CUI1": first, "REL": rel, "CUI2": second, "RELA": rela, "SAB": "MSH", "SUPPRESS": "N"}
    return {**row, **fields}


def write_rrf(folder: Path, name: str, rows: list[Row], zipped: bool = False) -> Path:
    """Write `name`.RRF (or .RRF.gz) with the usual columns."""
    lines = [
        "".join(row.get(column, "") + "|" for column in COLUMNS[name].split(",")) + "\n"
        for row in rows
    ]
    path = folder / f"{name}.RRF{'.gz' if zipped else ''}"
    text = "".join(lines).encode()
    path.write_bytes(gzip.compress(text) if zipped else text)
    return path


def write_folder(folder: Path, **tables: list[Row]) -> Path:
    """Write every table given by the name of its file: `MRCONSO=[...]`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in tables.items():
        write_rrf(folder, name, rows)
    return folder
