"""Facts and concepts in tables (TSV, CSV, parquet) to the two tables of a graph.

Which files and columns they are says the configuration, or a published layout by its name
(`kg.sources.settings.LAYOUTS`). Rows of facts are never in memory as text.
"""

import re
from pathlib import Path

import polars as pl

from kg.graph.tables import CONCEPTS
from kg.shared.errors import InputError
from kg.sources.concepts import concept_table
from kg.sources.numbered import end_ids, number_rows, triplets_between
from kg.sources.settings import EdgesTable, NodesTable, TableConfig, TableFiles
from kg.sources.summary import Summary
from kg.sources.tabular import find_tables, scan_table

__all__ = ["Tables", "read_graph"]

NEXT_STEP = (
    "name files and columns in the section kg.table (docs/how-to/graphs-in.md), or mend the file"
)

_BRACES = re.compile(r"\{([^{}]+)\}")


def read_graph(
    folder: Path, config: TableConfig
) -> tuple[pl.DataFrame, pl.DataFrame, dict[str, Summary]]:
    """Concepts, triplets and what became of the rows of each table of a folder."""
    edges = Tables(folder, config.edges)
    rows = number_rows(_facts(edges, config.edges, config.layout or "table"))
    files = {}
    if config.nodes:
        nodes = Tables(folder, config.nodes)
        concepts, files[nodes.name] = concept_table(_listed(nodes, config.nodes))
    else:
        concepts, _ = concept_table(_ends(edges, config.edges, end_ids(rows)))
    names = _names(folder, config)

    def named(text: str) -> str:
        name = names.get(text, text)
        return config.rename.get(name, name)

    triplets, files[edges.name] = triplets_between(rows, concepts, named, config.mirrored)
    return concepts, triplets, files


class Tables:
    """The files of a table, and their columns."""

    def __init__(self, folder: Path, files: TableFiles) -> None:
        self._paths = find_tables(folder, files.files, NEXT_STEP)
        self._scans = [_scan(path, files) for path in self._paths]
        first = self._paths[0].relative_to(folder) if files.path else self._paths[0].name
        self.name = f"{first} and {len(self._paths) - 1} more" if self._paths[1:] else str(first)

    def select(self, **columns: str | None) -> pl.LazyFrame:
        """The columns by what the configuration says of each; null is one without a text."""
        return pl.concat(
            scan.select(**{name: _text(path, scan, says) for name, says in columns.items()})
            for path, scan in zip(self._paths, self._scans, strict=True)
        )


def _scan(path: Path, files: TableFiles) -> pl.LazyFrame:
    scan = scan_table(path, files.separator, files.columns, NEXT_STEP, files.comment)
    if not files.path:
        return scan
    found = re.search(files.path, path.as_posix())
    if not found:
        raise InputError(f"{path} has not the form {files.path!r} of its path; {NEXT_STEP}")
    return scan.with_columns(**{name: pl.lit(text) for name, text in found.groupdict().items()})


def _text(path: Path, scan: pl.LazyFrame, says: str | None) -> pl.Expr:
    """A column, or a text that columns are put in; "" where one of them is empty."""
    if says is None:
        return pl.lit(None, pl.String)
    names = _BRACES.findall(says) or [says]
    known = scan.collect_schema().names()
    for name in names:
        if name not in known:
            raise InputError(f"{path} has no column {name!r}, only {', '.join(known)}; {NEXT_STEP}")
    if names == [says]:
        return pl.col(says)
    parts = [pl.col(name) for name in names]
    whole = pl.all_horizontal(part.fill_null("").str.strip_chars() != "" for part in parts)
    text = pl.format(_BRACES.sub("{}", says), *(part.str.strip_chars() for part in parts))
    return pl.when(whole).then(text).otherwise(pl.lit(""))


def _facts(edges: Tables, config: EdgesTable, source: str) -> pl.LazyFrame:
    facts = edges.select(
        head=config.head, relation=config.relation, tail=config.tail, source=config.source
    )
    return facts if config.source else facts.with_columns(source=pl.lit(source))


def _listed(nodes: Tables, config: NodesTable) -> pl.DataFrame:
    """Rows of concepts as the nodes' tables have them."""
    rows = nodes.select(
        cui=config.id,
        name=config.name,
        synonyms=config.synonyms,
        semantic_types=config.type,
        definition=config.definition,
    )
    kinds = rows.collect_schema()
    parts = [
        pl.col(name).str.split(config.between)
        for name in ("synonyms", "semantic_types")
        if kinds[name] == pl.String
    ]
    return rows.with_columns(parts).collect(engine="streaming")


def _ends(edges: Tables, config: EdgesTable, ids: pl.Series) -> pl.DataFrame:
    """Rows of concepts as the facts tell of them: of every id one or more."""
    ends = [
        (config.head, config.head_name, config.head_type),
        (config.tail, config.tail_name, config.tail_type),
    ]
    told = pl.DataFrame({"cui": ids}).with_columns(name=pl.lit(""), kind=pl.lit(None, pl.String))
    if any(name or kind for _, name, kind in ends):
        rows = [edges.select(cui=id, name=name, kind=kind) for id, name, kind in ends]
        told = pl.concat(rows).unique().collect(engine="streaming").sort("cui", "name", "kind")
    return told.select(
        "cui",
        "name",
        synonyms=pl.lit([], CONCEPTS["synonyms"]),
        semantic_types=pl.concat_list("kind"),
        definition=pl.lit(None, pl.String),
    )


def _names(folder: Path, config: TableConfig) -> dict[str, str]:
    """The names of relations by what the facts call them."""
    if not config.relations:
        return {}
    table = Tables(folder, config.relations)
    rows = table.select(id=config.relations.id, name=config.relations.name).collect()
    names: dict[str, str] = {}
    for old, new in rows.with_columns(pl.all().str.strip_chars()).iter_rows():
        if names.setdefault(old, new) != new:
            raise InputError(
                f"{table.name}: the relation {old} has two names, {names[old]!r} and {new!r}; "
                f"{NEXT_STEP}"
            )
    return names
