"""Reading graphs of many edges: `kg.table` and `kg.kgx` beside pandas and the package kgx.

    python -m benchmarks.graph_readers --folder F --edges 10000000
    python -m benchmarks.graph_readers --folder F --edges 10000000 --kgx /venv/bin/python

Writes an invented graph with a tenth as many nodes, as a table and in KGX's TSV, and prints CPU
seconds (user + system, of all threads), wall seconds and peak memory of each in a process of its
own. pandas makes the same two tables, which are compared; it checks no line and counts nothing.
kgx, from the Python of an environment that has it, reads a tenth of the edges with all their nodes
and writes them as TSV again, streaming, which is the least that it can do with them.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl

from benchmarks.rrf import measured
from kg.graph.tables import CONCEPTS, TRIPLETS

__all__ = ["write_folder"]

FIELDS = {
    "table": ("head", "relation", "tail", "source"),
    "kgx": ("subject", "predicate", "object", "primary_knowledge_source"),
}
TABLE = (
    '{"edges": {"source": "source"}, "nodes": {"type": "category", "synonyms": "synonym", '
    '"definition": "description"}}'
)
TRANSFORM = """
import sys
from kgx.transformer import Transformer
nodes, edges, out = sys.argv[1:]
Transformer(stream=True).transform(
    {"filename": [nodes, edges], "format": "tsv"}, {"filename": out, "format": "tsv"}
)
"""
TABLES = ("concepts.parquet", "triplets.parquet")
AT_ONCE = 1_000_000


def write_folder(folder: Path, layout: str, edges: int, nodes: int) -> Path:
    """nodes.tsv and edges.tsv of an invented graph; of the edges 1% stand twice."""
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / "nodes.tsv", _node_parts(nodes))
    _write(folder / "edges.tsv", _edge_parts(FIELDS[layout], edges, nodes))
    return folder


def _write(path: Path, parts: Iterator[pl.DataFrame]) -> None:
    with path.open("wb") as file:
        for number, part in enumerate(parts):
            part.write_csv(file, separator="\t", quote_style="never", include_header=number == 0)


def _id(numbers: np.ndarray) -> pl.Series:
    kind = pl.Series(["MONDO", "HP", "NCBIGene", "CHEBI"]).gather(numbers % 4)
    return kind + ":" + pl.Series(numbers).cast(pl.String).str.zfill(7)


def _node_parts(nodes: int) -> Iterator[pl.DataFrame]:
    for start in range(0, nodes, AT_ONCE):
        number = np.arange(start, min(start + AT_ONCE, nodes))
        text = pl.Series(number).cast(pl.String)
        kinds = pl.Series(["Disease", "PhenotypicFeature", "Gene", "ChemicalEntity"])
        yield pl.DataFrame(
            {
                "id": _id(number),
                "category": "biolink:" + kinds.gather(number % 4) + "|biolink:NamedThing",
                "name": "invented concept " + text,
                "synonym": "concept no. " + text + "|invention " + text,
                "description": "What is known of number " + text + ".",
            }
        )


def _edge_parts(fields: tuple[str, ...], edges: int, nodes: int) -> Iterator[pl.DataFrame]:
    generator = np.random.default_rng(0)
    relations = pl.Series([f"biolink:relation_{letter}" for letter in "abcdefghijklmnopqrst"])
    sources = pl.Series(["infores:mondo", "infores:hpo-annotations", "infores:ctd"])
    for start in range(0, edges, AT_ONCE):
        rows = min(AT_ONCE, edges - start)
        fresh = rows - rows // 100
        head, tail = generator.integers(0, nodes, (2, fresh))
        columns = [
            _id(head),
            relations.gather(generator.integers(0, len(relations), fresh)),
            _id(tail),
            sources.gather(generator.integers(0, len(sources), fresh)),
        ]
        part = pl.DataFrame(dict(zip(fields, columns, strict=True)))
        yield pl.concat([part, part.head(rows - fresh)])


def with_pandas(folder: Path, layout: str, out: Path) -> None:
    """The two tables, by pandas at its best: needed columns, strings of Arrow."""
    read = {"sep": "\t", "dtype": "str", "quoting": 3, "keep_default_na": False}
    nodes = pd.read_csv(folder / "nodes.tsv", **read).sort_values("id")
    lists = {name: nodes[name].str.split("|") for name in ("synonym", "category")}
    edges = pd.read_csv(folder / "edges.tsv", **read)
    edges.columns = pd.Index(TRIPLETS.names())
    edges = edges[edges["head"] != edges["tail"]]
    edges = edges[edges["head"].isin(nodes["id"]) & edges["tail"].isin(nodes["id"])]
    edges = edges.drop_duplicates()
    facts = ["head", "relation", "tail"]
    several = edges.duplicated(facts, keep=False)
    joined = edges[several].sort_values("source").groupby(facts)["source"].agg("|".join)
    edges = pd.concat([edges[~several], joined.reset_index()]).sort_values(facts)
    kinds = lists["category"].map(sorted)
    if layout == "kgx":
        edges["relation"] = edges["relation"].str.removeprefix("biolink:")
        edges["source"] = edges["source"].str.replace("infores:", "")
        kinds = kinds.map(lambda names: [name.removeprefix("biolink:") for name in names])
    concepts = {
        "cui": nodes["id"].tolist(),
        "name": nodes["name"].tolist(),
        "synonyms": lists["synonym"].map(sorted).tolist(),
        "semantic_types": kinds.tolist(),
        "definition": nodes["description"].tolist(),
    }
    pl.DataFrame(concepts, CONCEPTS).write_parquet(out / TABLES[0])
    facts_table = pl.from_pandas(edges[TRIPLETS.names()], include_index=False)
    facts_table.cast(dict(TRIPLETS)).write_parquet(out / TABLES[1])


def compare(folder: Path, edges: int, kgx: str | None) -> None:
    """Measure every reader, check that the tables agree, print the table."""
    sys.stdout.write("| reader | edges | CPU s | wall s | peak MB |\n|---|---|---|---|---|\n")
    for layout in FIELDS:
        data = write_folder(folder / layout, layout, edges, edges // 10)
        own, other = folder / f"{layout}_own", folder / f"{layout}_pandas"
        command = [sys.executable, "-m", f"kg.{layout}", "--folder", str(data), "--out", str(own)]
        _show(f"kg.{layout}", edges, command + (["--config", TABLE] if layout == "table" else []))
        other.mkdir(exist_ok=True)
        run = ["-m", "benchmarks.graph_readers", "--pandas", layout, "--folder", str(folder)]
        _show(f"pandas, {layout}", edges, [sys.executable, *run])
        for table in TABLES:
            assert pl.read_parquet(own / table).equals(pl.read_parquet(other / table)), table
    if kgx:
        tenth = folder / "tenth.tsv"
        rows = pl.scan_csv(data / "edges.tsv", separator="\t", quote_char=None).head(edges // 10)
        rows.sink_csv(tenth, separator="\t", quote_style="never")
        files = [str(data / "nodes.tsv"), str(tenth), str(folder / "kgx_out")]
        _show("kgx", edges // 10, [kgx, "-c", TRANSFORM, *files])


def _show(name: str, edges: int, command: list[str]) -> None:
    found = measured(command)
    sys.stdout.write(
        f"| {name} | {edges:,} | {found['cpu']:.1f} | {found['wall']:.1f} | {found['peak']:.0f} |\n"
    )
    sys.stdout.flush()


def main() -> None:
    """Generate, then compare."""
    parser = argparse.ArgumentParser(description="time the reading of tables and of KGX")
    parser.add_argument("--folder", type=Path, required=True, help="for the data and the tables")
    parser.add_argument("--edges", type=int, default=1_000_000)
    parser.add_argument("--kgx", help="the Python of an environment with the package kgx")
    parser.add_argument("--pandas", choices=list(FIELDS), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.pandas:
        layout = arguments.pandas
        with_pandas(arguments.folder / layout, layout, arguments.folder / f"{layout}_pandas")
    else:
        compare(arguments.folder, arguments.edges, arguments.kgx)


if __name__ == "__main__":
    main()
