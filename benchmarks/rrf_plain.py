"""The job of `kg.umls` in plain Python, one dict a row, in the manner of scispaCy's umls_utils."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from kg.graph.tables import CONCEPTS, TRIPLETS

__all__ = ["build"]

KINDS = {"PAR", "CHD", "RB", "RN", "RO"}


def build(folder: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Concepts and triplets as `kg.umls` makes them with its default config."""
    names, sources = _names(folder)
    types, definitions = _types(folder), _definitions(folder, sources)
    concepts = [
        (cui, first, synonyms, types.get(cui, []), definitions.get(cui))
        for cui, (first, synonyms) in sorted(names.items())
    ]
    triplets = [
        (head, relation, tail, "|".join(sorted(found)))
        for (head, relation, tail), found in sorted(_facts(folder, names).items())
    ]
    return (
        pl.DataFrame(concepts, CONCEPTS, orient="row"),
        pl.DataFrame(triplets, TRIPLETS, orient="row"),
    )


def _rows(folder: Path, name: str) -> Iterator[dict[str, str]]:
    headers = _headers(folder, name)
    with (folder / name).open(encoding="utf-8", newline="\n") as file:
        for line in file:
            fields = line.strip("\n").split("|")
            assert len(fields) == len(headers), (name, line)
            yield dict(zip(headers, fields, strict=True))


def _headers(folder: Path, name: str) -> list[str]:
    with (folder / "MRFILES.RRF").open(encoding="utf-8") as file:
        for line in file:
            fields = line.split("|")
            if fields[0] == name:
                return [*fields[2].split(","), ""]
    raise AssertionError(name)


def _names(folder: Path) -> tuple[dict[str, tuple[str, list[str]]], set[str]]:
    worth: dict[tuple[str, str], int] = {}
    for row in _rows(folder, "MRRANK.RRF"):
        worth[row["SAB"], row["TTY"]] = int(row["RANK"])
    atoms = defaultdict(list)
    sources = set()
    for row in _rows(folder, "MRCONSO.RRF"):
        if row["LAT"] == "ENG":
            sources.add(row["SAB"])
            flags = (row["TS"] != "P", row["STT"] != "PF", row["ISPREF"] != "Y")
            rank = (row["SUPPRESS"] != "N", -worth.get((row["SAB"], row["TTY"]), 0), *flags)
            atoms[row["CUI"]].append((rank, row["STR"]))
    names = {}
    for cui, ranked in atoms.items():
        ranked.sort()
        shown = list(dict.fromkeys(name for rank, name in ranked if not rank[0]))
        names[cui] = (ranked[0][1], shown[1:])
    return names, sources


def _types(folder: Path) -> dict[str, list[str]]:
    types = defaultdict(list)
    for row in _rows(folder, "MRSTY.RRF"):
        types[row["CUI"]].append(row["STY"])
    return {cui: sorted(found) for cui, found in types.items()}


def _definitions(folder: Path, sources: set[str]) -> dict[str, str]:
    order = {"MSH": 0, "NCI": 1, "SNOMEDCT_US": 2}
    best: dict[str, tuple[int, str, str]] = {}
    for row in _rows(folder, "MRDEF.RRF"):
        if row["SAB"] in sources and row["SUPPRESS"] == "N":
            ranked = (order.get(row["SAB"], 3), row["SAB"], row["DEF"])
            best[row["CUI"]] = min(ranked, best.get(row["CUI"], ranked))
    return {cui: text for cui, (_, _, text) in best.items()}


def _facts(folder: Path, names: dict) -> dict[tuple[str, str, str], set[str]]:
    inverse = {
        row["VALUE"]: row["EXPL"]
        for row in _rows(folder, "MRDOC.RRF")
        if row["TYPE"] in ("rel_inverse", "rela_inverse")
    }
    facts = defaultdict(set)
    for row in _rows(folder, "MRREL.RRF"):
        head, tail = row["CUI2"], row["CUI1"]
        if row["REL"] not in KINDS or row["SUPPRESS"] != "N" or head == tail:
            continue
        if head not in names or tail not in names:
            continue
        relation = row["RELA"] or row["REL"]
        other = inverse.get(relation, relation)
        if other == relation:
            # Without a known inverse a relation keeps its direction; a symmetric one loses it.
            if relation in inverse:
                head, tail = min(head, tail), max(head, tail)
        elif (len(other), other) < (len(relation), relation):
            head, relation, tail = tail, other, head
        facts[head, relation, tail].add(row["SAB"])
    return facts
