"""What a knowledge graph is made of: the numbers of `summary.json`, and their table for a terminal.

Every source command (`kg.hpo`, `kg.umls`, `kg.table`...) writes one beside its tables:
`files` says what became of each input's rows, the rest describes the graph they became.
"""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from kg.graph.circles import circles
from kg.graph.tables import PARENT_RELATIONS, write_concepts, write_triplets
from kg.shared.artefact import write_json
from kg.shared.errors import InputError

__all__ = ["Summary", "file_rows", "graph_summary", "summary_text", "write_graph"]

Summary = dict[str, Any]
"""JSON: counts by name, nested by topic."""

log = logging.getLogger(__name__)

_QUANTILES = {"median": 0.5, "p90": 0.9, "p99": 0.99}
_SHOWN = 20


def write_graph(
    folder: Path, concepts: pl.DataFrame, triplets: pl.DataFrame, files: Summary
) -> None:
    """Write both tables and `summary.json` into a folder, and show the summary in the log.

    `files` says for each input what became of its rows, see `file_rows`. Raises InputError when of
    one of them nothing is kept.
    """
    for name, rows in files.items():
        if not rows["kept"]:
            raise InputError(
                f"of {name} nothing is kept: {rows['read']} rows read, dropped: "
                f"{rows['dropped'] or 'none'}; is it whole, in the layout and with the ids of the "
                "other files, and does the config ask for any of it?"
            )
    write_concepts(folder / "concepts.parquet", concepts)
    nodes = write_triplets(folder / "triplets.parquet", triplets, concepts)
    summary = {"files": files, **graph_summary(concepts, triplets, nodes)}
    write_json(folder / "summary.json", summary)
    log.info("%s\n%s", folder, summary_text(summary))


def graph_summary(
    concepts: pl.DataFrame, triplets: pl.DataFrame, ends: tuple[np.ndarray, np.ndarray]
) -> Summary:
    """Counts of a graph in the tables of `kg.graph.tables`; `ends` are its `node_numbers`.

    Returns `concepts`, `triplets`, `synonyms`, `definitions`; `relations`, `sources` and
    `semantic_types` as counts, largest first (a triplet of two sources counts for both);
    `degree` (of the undirected multigraph, per concept), `components` (weakly connected) and
    `circles`: of the hierarchy, which has none unless a source is wrong or sources contradict.
    """
    nodes = concepts.height
    heads, tails = ends
    degree = np.bincount(heads, minlength=nodes) + np.bincount(tails, minlength=nodes)
    return {
        "concepts": nodes,
        "triplets": triplets.height,
        "synonyms": int(concepts["synonyms"].list.len().sum()),
        "definitions": nodes - concepts["definition"].null_count(),
        "relations": _counts(triplets["relation"]),
        "sources": _counts(triplets["source"].str.split("|").explode()),
        "semantic_types": _counts(concepts["semantic_types"].explode()),
        "degree": _degrees(degree),
        "components": _components(heads, tails, nodes),
        "circles": _circles(concepts["cui"], triplets["relation"], ends),
    }


def file_rows(read: int, dropped: Mapping[str, int], kept: int) -> Summary:
    """What became of a file's rows; reasons that met no row are left out."""
    return {"read": read, "dropped": {k: n for k, n in dropped.items() if n}, "kept": kept}


def summary_text(summary: Summary) -> str:
    """The summary as an indented table; of long lists the 20 largest entries."""
    return "\n".join(_lines(summary, 0)) + "\n"


def _counts(values: pl.Series) -> dict[str, int]:
    counted = values.drop_nulls().alias("value").value_counts()
    ordered = counted.sort(["count", "value"], descending=[True, False])
    return dict(ordered.iter_rows())


def _degrees(degree: np.ndarray) -> Summary:
    if not len(degree):
        return {}
    quantiles = {name: float(np.quantile(degree, q)) for name, q in _QUANTILES.items()}
    bins = np.bincount(np.ceil(np.log2(degree + 1)).astype(int))
    histogram = {_bin_name(i): int(count) for i, count in enumerate(bins) if count}
    mean = round(float(degree.mean()), 3)
    return {"mean": mean, **quantiles, "maximum": int(degree.max()), "histogram": histogram}


def _bin_name(power: int) -> str:
    low, high = 2**power // 2, 2**power - 1
    return str(high) if low >= high else f"{low}-{high}"


def _components(heads: np.ndarray, tails: np.ndarray, nodes: int) -> Summary:
    root = np.arange(nodes, dtype=np.int32)
    # Every node takes its lowest neighbour for its root; the edges between roots are left over.
    # A few rounds do for a graph of millions, at half the price of SciPy's search.
    while len(heads):
        np.minimum.at(root, np.maximum(heads, tails), np.minimum(heads, tails))
        while ((upper := root[root]) != root).any():
            root = upper
        heads, tails = root[heads], root[tails]
        between = heads != tails
        heads, tails = heads[between], tails[between]
    sizes = np.bincount(root, minlength=1)
    return {
        "count": int(np.count_nonzero(sizes)),
        "largest": int(sizes.max()),
        "single_concepts": int((sizes == 1).sum()),
    }


def _circles(cuis: pl.Series, relation: pl.Series, ends: tuple[np.ndarray, np.ndarray]) -> Summary:
    """How many, of how many concepts; one is shown in the log: it is for people to judge."""
    above = relation.is_in(PARENT_RELATIONS).to_numpy()
    found = circles(ends[0][above], ends[1][above], len(cuis))
    concepts = sum(map(len, found))
    if found:
        shown = ", ".join(cuis.gather(found[0][:_SHOWN]))
        log.warning(
            "%d concepts are ancestors of themselves, in %d circles of the hierarchy (first: %s)",
            *(concepts, len(found), shown),
        )
    return {"count": len(found), "concepts": concepts}


def _lines(values: Mapping[str, Any], depth: int) -> list[str]:
    lines = []
    for name, value in list(values.items())[:_SHOWN]:
        label = "  " * depth + name
        if isinstance(value, Mapping):
            lines += [label, *_lines(value, depth + 1)]
        else:
            shown = f"{value:,}" if isinstance(value, int | float) else str(value)
            lines.append(f"{label:<44} {shown:>14}")
    if len(values) > _SHOWN:
        lines.append("  " * depth + f"... {len(values) - _SHOWN} more in summary.json")
    return lines
