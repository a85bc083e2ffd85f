"""The measures of several encoders side by side: a table and a figure."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import polars as pl
from matplotlib.figure import Figure

__all__ = ["DRAWN", "comparison", "figure"]

FREE = {
    "(popularity)": "popularity",
    "(text)": "text_cosine",
    "(text: nearest names)": "text_neighbours",
    "(text smoothed)": "smoothed",
}
"""Rows that need no training -> their scorer of links."""

VECTORS = {"(text)": "text", "(text smoothed)": "smoothed"}
"""Rows that need no training -> their vectors."""

Measure = Callable[[Mapping[str, Any], str, str], float | None]

DRAWN = (
    "MRR",
    "MRR with copying",
    "relation macro accuracy",
    "choice, new facts",
    "parent MRR by a map",
    "branch",
)


def _link(key: str) -> Measure:
    return lambda metrics, scorer, vectors: metrics["link_prediction"].get(scorer, {}).get(key)


def _copied(key: str) -> Measure:
    """The encoder's score and the links of the nearest stored vectors, together."""

    def combined(metrics: Mapping[str, Any], scorer: str, vectors: str) -> float | None:
        found = metrics["link_prediction"].get("combined") if scorer == "test" else None
        return found and found[key]

    return combined


def _relation(key: str) -> Measure:
    return lambda metrics, scorer, vectors: (
        metrics["relation_classification"].get(vectors) or {}
    ).get(key)


def _choice(kind: str) -> Measure:
    """The mean over relations."""

    def mean(metrics: Mapping[str, Any], scorer: str, vectors: str) -> float | None:
        found = metrics["probes"].get(vectors, {}).get(f"choice_of_{kind}_facts")
        return sum(found.values()) / len(found) if found else None

    return mean


def _classified(probe: str) -> Measure:
    return lambda metrics, scorer, vectors: metrics["probes"].get(vectors, {}).get(probe)


def _parent(probe: str) -> Measure:
    return lambda metrics, scorer, vectors: (
        metrics["probes"].get(vectors, {}).get(probe) or {}
    ).get("mrr")


MEASURES: dict[str, Measure] = {
    "MRR": _link("mrr"),
    "Hits@1": _link("hits@1"),
    "Hits@3": _link("hits@3"),
    "Hits@10": _link("hits@10"),
    "MRR with copying": _copied("mrr"),
    "Hits@10 with copying": _copied("hits@10"),
    "macro MRR": _link("macro_mrr"),
    "macro Hits@10": _link("macro_hits@10"),
    "relation accuracy": _relation("accuracy"),
    "relation macro accuracy": _relation("macro"),
    "choice, known facts": _choice("known"),
    "choice, new facts": _choice("new"),
    "parent MRR": _parent("parent"),
    "parent MRR by a map": _parent("parent_by_map"),
    "branch": _classified("branch"),
    "semantic type": _classified("semantic_type"),
}
"""Columns; link prediction is by the encoder's scorer, the rest by its stored vectors."""


def comparison(metrics: Mapping[str, Mapping[str, Any]]) -> pl.DataFrame:
    """A row an encoder (name -> its metrics.json), then the rows without training, in brackets.

    Those are the first encoder's, as all share graph, features and split. Null: not measured.
    """
    first = next(iter(metrics.values()))
    rows = [
        {"encoder": name} | {column: get(one, "test", "stored") for column, get in MEASURES.items()}
        for name, one in metrics.items()
    ]
    rows += [
        {"encoder": name}
        | {column: get(first, scorer, VECTORS.get(name, "")) for column, get in MEASURES.items()}
        for name, scorer in FREE.items()
    ]
    return pl.DataFrame(rows, schema={"encoder": pl.String} | dict.fromkeys(MEASURES, pl.Float64))


def figure(table: pl.DataFrame, measures: Sequence[str] = DRAWN) -> Figure:
    """Bars, a panel a measure, encoders in the same order in each; untrained rows in grey."""
    names = table["encoder"].to_list()
    colours = ["#999999" if name.startswith("(") else "#3b82c4" for name in names]
    rows = -(-len(measures) // 3)
    height = rows * (0.45 + 0.25 * len(names))
    drawing = Figure(figsize=(11, height), layout="constrained")
    panels = drawing.subplots(rows, 3, sharey=True, squeeze=False)
    for axes in panels.flat[len(measures) :]:
        axes.set_visible(False)
    for axes, measure in zip(panels.flat, measures, strict=False):
        values = table[measure].to_list()
        bars = axes.barh(names, [value or 0 for value in values], color=colours)
        axes.bar_label(bars, ["" if v is None else f"{v:.3f}" for v in values], padding=2)
        axes.set_title(measure, loc="left", fontsize=10)
        axes.margins(x=0.18)
        axes.spines[["top", "right"]].set_visible(False)
    panels[0, 0].invert_yaxis()
    return drawing
