"""The measures of several encoders side by side: a table and a figure."""

from collections.abc import Mapping, Sequence

import polars as pl
from matplotlib.figure import Figure

from kg.evaluation.metrics import EncoderMetrics

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

DRAWN = (
    "MRR",
    "MRR with copying",
    "relation macro accuracy",
    "choice, new facts",
    "parent MRR by a map",
    "branch",
)


def comparison(metrics: Mapping[str, EncoderMetrics]) -> pl.DataFrame:
    """A row an encoder (name -> its measures), then the rows without training, in brackets.

    Those are the first encoder's, as all share graph, features and split. Null: not measured.
    """
    first = next(iter(metrics.values()))
    rows = {name: _measures(one, "test", "stored") for name, one in metrics.items()}
    rows |= {name: _measures(first, scorer, VECTORS.get(name, "")) for name, scorer in FREE.items()}
    return pl.DataFrame(
        [{"encoder": name} | row for name, row in rows.items()],
        schema_overrides=dict.fromkeys(next(iter(rows.values())), pl.Float64),
    )


def _measures(metrics: EncoderMetrics, scorer: str, vectors: str) -> dict[str, float | None]:
    """The columns; link prediction is by the scorer, the rest by the vectors."""
    links = metrics.link_prediction.get(scorer)
    # The encoder's score and the links of the nearest stored vectors, together.
    copied = metrics.link_prediction.get("combined") if scorer == "test" else None
    relation = metrics.relation_classification.get(vectors)
    probes = metrics.probes.get(vectors)
    return {
        "MRR": links.mrr if links else None,
        "Hits@1": links.hits_1 if links else None,
        "Hits@3": links.hits_3 if links else None,
        "Hits@10": links.hits_10 if links else None,
        "MRR with copying": copied.mrr if copied else None,
        "Hits@10 with copying": copied.hits_10 if copied else None,
        "macro MRR": links.macro_mrr if links else None,
        "macro Hits@10": links.macro_hits_10 if links else None,
        "relation accuracy": relation.accuracy if relation else None,
        "relation macro accuracy": relation.macro if relation else None,
        "choice, known facts": _mean(probes.choice_of_known_facts) if probes else None,
        "choice, new facts": _mean(probes.choice_of_new_facts) if probes else None,
        "parent MRR": probes.parent.mrr if probes and probes.parent else None,
        "parent MRR by a map": (
            probes.parent_by_map.mrr if probes and probes.parent_by_map else None
        ),
        "branch": probes.top_term if probes else None,
        "semantic type": probes.semantic_type if probes else None,
    }


def _mean(by_relation: Mapping[str, float]) -> float | None:
    return sum(by_relation.values()) / len(by_relation) if by_relation else None


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
