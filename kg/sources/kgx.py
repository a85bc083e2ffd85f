"""Graphs in the KGX format of the Biolink model (TSV or JSON lines) to the two tables.

The format: https://github.com/biolink/kgx/blob/master/specification/kgx-format.md. Prefixes of
predicates, categories and knowledge sources are left out; several values of a TSV's field stand
between "|". Negated facts are no facts.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import polars as pl

from kg.shared.damage import check_file
from kg.shared.errors import InputError
from kg.shared.lines import json_lines
from kg.sources.concepts import concept_table
from kg.sources.numbered import number_rows, triplets_between
from kg.sources.settings import KGXConfig
from kg.sources.summary import Summary, file_rows
from kg.sources.tabular import find_tables, scan_table

__all__ = ["read_kgx"]

NODES = {
    "id": "cui",
    "name": "name",
    "synonym": "synonyms",
    "category": "semantic_types",
    "description": "definition",
}
"""Fields of a node, of which all but the id may be missing, and the columns of concepts."""

LISTS = ("synonym", "category")

ENDS = ("subject", "predicate", "object")

SOURCES = ("primary_knowledge_source", "knowledge_source", "provided_by")
"""Where a fact comes from: the first of these that its file has."""

NEXT_STEP = "give the nodes and edges that kgx writes as TSV or JSON lines, or make them again"

_PREFIX = re.compile(r"^[A-Za-z_.]+:([A-Za-z])")
_SEEN = 1000
"""Lines of a JSON file that tell which of its fields are lists."""


def read_kgx(
    folder: Path, config: KGXConfig
) -> tuple[pl.DataFrame, pl.DataFrame, dict[str, Summary]]:
    """Concepts, triplets and what became of the rows of the files of nodes and of edges."""
    nodes, edges = (
        find_tables(folder, patterns, NEXT_STEP) for patterns in (config.nodes, config.edges)
    )
    files = {}
    with _telling_lines(nodes):
        listed = pl.concat(_nodes(path) for path in nodes).collect(engine="streaming")
    concepts, files[_shown(nodes)] = concept_table(listed)
    with _telling_lines(edges):
        scans = [_scan(path, (*ENDS, "negated", *SOURCES), ENDS) for path in edges]
        negated = sum(_negated(scan) for scan in scans)
        numbered = number_rows(pl.concat(_facts(scan) for scan in scans))
    triplets, rows = triplets_between(numbered, concepts, _without_prefix)
    files[_shown(edges)] = file_rows(
        rows["read"] + negated, {"negated": negated, **rows["dropped"]}, rows["kept"]
    )
    return concepts, triplets, files


def _shown(paths: list[Path]) -> str:
    return ", ".join(path.name for path in paths)


def _nodes(path: Path) -> pl.LazyFrame:
    """Rows in the columns of the table of concepts."""
    rows = _scan(path, tuple(NODES), ("id",))
    known = rows.collect_schema()
    lists = {
        name: pl.col(name) if isinstance(known[name], pl.List) else pl.col(name).str.split("|")
        for name in LISTS
    }
    kind = pl.element().str.replace(_PREFIX.pattern, "$1")
    rows = rows.with_columns(**lists).with_columns(pl.col("category").list.eval(kind))
    return rows.select(**{column: field for field, column in NODES.items()})


def _facts(scan: pl.LazyFrame) -> pl.LazyFrame:
    """Rows in the columns of the table of triplets, without the negated ones."""
    # Of several sources of a fact the first; a list is read as its text.
    first = r"""^\[?["']?(?:infores:)?([^"'|\[\]]+)"""
    named = [pl.col(name).str.extract(first) for name in SOURCES]
    ends = dict(zip(("head", "relation", "tail"), ENDS, strict=True))
    return scan.filter(~_is_negated()).select(**ends, source=pl.coalesce(*named, pl.lit("KGX")))


def _negated(scan: pl.LazyFrame) -> int:
    return int(scan.select(_is_negated().sum()).collect(engine="streaming").item())


def _is_negated() -> pl.Expr:
    return pl.col("negated").fill_null("").str.to_lowercase() == "true"


def _without_prefix(predicate: str) -> str:
    """treats for biolink:treats; ids with a number stay whole."""
    return _PREFIX.sub(r"\1", predicate)


def _scan(path: Path, fields: tuple[str, ...], required: tuple[str, ...]) -> pl.LazyFrame:
    """The fields of a file, null where it has not one of them, which is not `required`."""
    is_json = ".jsonl" in path.name
    scan = _scan_json(path, fields) if is_json else scan_table(path, None, (), NEXT_STEP)
    known = scan.collect_schema().names()
    missing = [field for field in required if field not in known]
    if missing:
        raise InputError(
            f"{path} has no field {missing[0]!r}, only {', '.join(known)}; {NEXT_STEP}"
        )
    absent = [pl.lit(None, pl.String).alias(field) for field in fields if field not in known]
    return scan.with_columns(absent).select(fields)


def _scan_json(path: Path, fields: tuple[str, ...]) -> pl.LazyFrame:
    check_file(path, NEXT_STEP)
    if path.suffix == ".zst":
        raise InputError(f"{path}: JSON lines are read plain or as .gz; unpack it: zstd -d {path}")
    first = (row for _, row in islice(json_lines(path, NEXT_STEP), _SEEN))
    lists = {name for row in first for name in LISTS if isinstance(row.get(name), list)}
    schema = {name: pl.List(pl.String) if name in lists else pl.String() for name in fields}
    return pl.scan_ndjson(path, schema=schema)


@contextmanager
def _telling_lines(paths: list[Path]) -> Iterator[None]:
    """Raise InputError with the line where Polars cannot read a file of JSON lines."""
    try:
        yield
    except pl.exceptions.PolarsError as error:
        for path in paths:
            kinds: dict[str, type] = {}
            for number, row in json_lines(path, NEXT_STEP) if ".jsonl" in path.name else ():
                for name in LISTS:
                    value = row.get(name)
                    if value is not None and kinds.setdefault(name, type(value)) is not type(value):
                        raise InputError(
                            f"{path} line {number}: {name} is {value!r:.80}, expected a "
                            f"{kinds[name].__name__} as in the lines before; {NEXT_STEP}"
                        ) from error
        raise InputError(f"{_shown(paths)} cannot be read: {error}; {NEXT_STEP}") from error
