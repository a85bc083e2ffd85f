"""What the tables of somebody's graph look like: separator, header, and which column is what.

By the names of the columns where they are known ones; else by what the columns hold: a relation has
few different values, and the column of ids is the one that has the ends of the facts.
"""

import csv
from collections import Counter
from collections.abc import Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from kg.shared.damage import check_file
from kg.shared.errors import InputError
from kg.sources.settings import PACKED

__all__ = ["MOST", "Sample", "guess_edges", "guess_nodes", "layout_of", "plain_name", "read_sample"]

NEXT_STEP = "name files and columns by hand (docs/how-to/graphs-in.md)"

ROWS = 20_000
"""Of the beginning of a file of facts so many are looked at."""

MOST = 1_000_000
"""Of a file of concepts: among them the ends of those facts are sought."""

LAYOUTS = {
    "primekg": {"relation", "x_id", "x_source", "y_id", "y_source"},
    "hetionet": {"source", "metaedge", "target"},
    "kgx": {"id", "subject", "predicate", "object"},
}
"""Published layouts by the columns of their facts."""

SEPARATORS = ("\t", ",", ";", "|")

EDGES = {
    "head": "head headid subject subjectid h s xid source sourceid startid start from node1",
    "relation": "relation predicate relationship rel edgetype metaedge interaction p r type edge",
    "tail": "tail tailid object objectid t o yid target targetid endid end to node2",
    "head_name": "headname subjectname xname sourcename subjectlabel",
    "tail_name": "tailname objectname yname targetname objectlabel",
    "head_type": "headtype subjecttype xtype sourcetype subjectcategory headkind",
    "tail_type": "tailtype objecttype ytype targettype objectcategory tailkind",
}
"""What a column is -> how it is called, without case and signs, the likeliest first."""

NODES = {
    "name": "name label title term preferredname nodename preferredlabel",
    "type": "type category kind semantictypes semantictype class types categories nodetype group",
    "synonyms": "synonyms synonym aliases alias exactsynonym exactsynonyms altnames",
    "definition": "definition description desc def",
}


@dataclass(frozen=True)
class Sample:
    """The beginning of a table. `separator` is None of a parquet file."""

    path: Path
    separator: str | None
    header: bool
    columns: list[str]
    rows: list[list[str]]

    def values(self, column: str) -> list[str]:
        """A column's texts."""
        place = self.columns.index(column)
        return [row[place] for row in self.rows]

    def section(self, folder: Path) -> dict[str, Any]:
        """Keys of `kg.table` that say how the file is read."""
        name = plain_name(self.path, folder)
        usual = "," if name.endswith(".csv") else "\t"
        found: dict[str, Any] = {"files": [name]}
        if self.separator not in (None, usual):
            found["separator"] = self.separator
        if not self.header:
            found["columns"] = self.columns
        return found


def plain_name(path: Path, folder: Path) -> str:
    """The file's name in a folder, without the ending of a packed one."""
    name = path.relative_to(folder)
    return str(name.with_suffix("") if name.suffix in PACKED[1:] else name)


def read_sample(path: Path, most: int = ROWS, ends: Set[str] = frozenset()) -> Sample:
    """The first rows, `most` of them. Columns without a header are called column_1 and so on.

    A line 1 with one of `ends`, the ids of facts, is no header. Raises InputError where the file
    is missing or no table.
    """
    check_file(path, NEXT_STEP)
    try:
        if path.suffix == ".parquet":
            frame = pl.scan_parquet(path).head(most).collect()
            rows = [["" if one is None else str(one) for one in row] for row in frame.rows()]
            return Sample(path, None, True, frame.columns, rows)
        lines = pl.scan_lines(path, n_rows=most).collect()["line"].to_list()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise InputError(f"{path} cannot be read: {error}; {NEXT_STEP}") from error
    lines = [line.removeprefix("\ufeff").rstrip("\r") for line in lines if line.strip()]
    separator, rows = _split(path, lines)
    header = _has_header(rows) and ends.isdisjoint(rows[0])
    columns = [name.strip() for name in rows[0]] if header else _numbered(len(rows[0]))
    return Sample(path, separator, header, columns, rows[header:])


def layout_of(sample: Sample) -> str | None:
    """The published layout that has these facts, if any."""
    fitting = (name for name, columns in LAYOUTS.items() if columns <= set(sample.columns))
    return next(fitting, None)


def guess_edges(sample: Sample) -> dict[str, str]:
    """Key of `kg.table.edges` -> column; raises InputError where the facts cannot be told."""
    found = _by_name(sample.columns, EDGES)
    left = [name for name in sample.columns if name not in found.values()]
    if "relation" not in found and left:
        middle = sample.columns[1]
        found["relation"] = min(
            left, key=lambda name: (len(set(sample.values(name))), name != middle)
        )
        left.remove(found["relation"])
    for key in ("head", "tail"):
        if key not in found and left:
            found[key] = left.pop(0)
    missing = [key for key in ("head", "relation", "tail") if key not in found]
    if missing:
        raise InputError(
            f"{sample.path} has the columns {', '.join(sample.columns)}; expected three or more, "
            f"of which none is left for the {missing[0]} of a fact; {NEXT_STEP}"
        )
    return {key: found[key] for key in EDGES if key in found}


def guess_nodes(sample: Sample, ends: set[str]) -> tuple[dict[str, str], float]:
    """Key of `kg.table.nodes` -> column, and the share of `ends` that the column of ids has.

    Raises InputError where no column has any of the ends.
    """
    shares = {name: len(ends & set(sample.values(name))) / len(ends) for name in sample.columns}
    id = max(shares, key=lambda name: shares[name])
    if not shares[id]:
        raise InputError(
            f"no column of {sample.path} ({', '.join(sample.columns)}) has an id of the facts, "
            f"such as {min(ends)}; is it of another graph? {NEXT_STEP}"
        )
    others = [name for name in sample.columns if name != id]
    found = {"id": id, **_by_name(others, NODES)}
    if "name" not in found:
        left = [name for name in others if name not in found.values()]
        found["name"] = left[0] if left else id
    return found, shares[id]


def _split(path: Path, lines: list[str]) -> tuple[str, list[list[str]]]:
    """By the separator that gives all lines as many fields, the most of them."""
    best: tuple[int, str, list[list[str]]] | None = None
    for separator in SEPARATORS:
        if separator == "\t":
            rows = [line.split(separator) for line in lines]
        else:
            rows = list(csv.reader(lines, delimiter=separator))
        widths = Counter(map(len, rows))
        if len(widths) == 1 and max(widths) > 1 and (best is None or max(widths) > best[0]):
            best = (max(widths), separator, rows)
    if best is None:
        raise InputError(
            f"{path}: no TAB, comma, semicolon or bar parts its first {len(lines)} lines into as "
            f"many fields each; {NEXT_STEP}"
        )
    return best[1:]


def _has_header(rows: list[list[str]]) -> bool:
    """Whether line 1 names columns: by known names, or because none of it comes again."""
    known = {name for names in (EDGES, NODES) for one in names.values() for name in one.split()}
    known |= {"id", "identifier", "curie", "cui"}
    if sum(_plain(field) in known for field in rows[0]) >= min(2, len(rows[0])):
        return True
    columns = zip(*rows[1:], strict=True)
    repeated = [len(set(column)) < len(column) for column in columns]
    later = {field for row in rows[1:] for field in row}
    return any(repeated) and not set(rows[0]) & later


def _by_name(columns: list[str], names: dict[str, str]) -> dict[str, str]:
    """What -> the column that is called so; a column is one thing."""
    found: dict[str, str] = {}
    for what, called in names.items():
        likely = called.split()
        fitting = [one for one in columns if _plain(one) in likely and one not in found.values()]
        if fitting:
            found[what] = min(fitting, key=lambda one: likely.index(_plain(one)))
    return found


def _plain(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def _numbered(count: int) -> list[str]:
    return [f"column_{number + 1}" for number in range(count)]
