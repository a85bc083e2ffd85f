"""The graph's side of the report: the graph itself, its encoders, and the space they make."""

from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from kg.evaluation.comparison import DRAWN, comparison, figure
from kg.evaluation.metrics import EncoderMetrics
from kg.shared.artefact import read_json
from kg.shared.documents import read_document
from meg.evaluation.result import Result
from meg.report.contents import Contents, Row, flat, read_history
from meg.report.figures import Cloud, clouds, curves, history_curve, styled
from meg.report.page import Part, Table, turned

__all__ = ["encoders", "graph", "spaces"]


def encoders(contents: Contents) -> Part:
    """What `kg.train` measured, the encoders side by side first; empty where none was trained."""
    panels, ranks, relations = {}, [], []
    probes: dict[str, list[Row]] = {}
    measured = {
        name: read_document(folder / "metrics.json", EncoderMetrics)
        for name, folder in contents.encoders.items()
    }
    for name, folder in contents.encoders.items():
        metrics = measured[name]
        for scorer, row in metrics.link_prediction.items():
            label = name if scorer == "test" else scorer.replace("_", " ")
            numbers = row.model_dump(by_alias=True, exclude={"by_relation"})
            ranks.append({"encoder": name, "scored by": label} | numbers)
        for vectors, right in metrics.relation_classification.items():
            label = vectors.replace("_", " ")
            relations.append(
                {"encoder": name, "vectors": label} | (right.model_dump() if right else {})
            )
        for vectors, found in metrics.probes.items():
            probes.setdefault(name, []).append(
                {"": vectors} | flat(found.model_dump(by_alias=True))
            )
        history = read_history(folder)
        if history:
            panels[f"{name}: loss"] = [history_curve(history, "loss", "epoch")]
            panels[f"{name}: validation MRR"] = [history_curve(history, "mrr", "epoch")]
    if not measured:
        return Part("Graph encoders", "", (), ())
    beside = _side_by_side(contents, measured)
    answered = [name for name in beside.columns if name.endswith("%")]
    figures = [styled(lambda: figure(beside, [*DRAWN, *answered]))]
    if panels:
        figures.append(curves(panels, "epoch"))
    text = (
        "Link prediction on held-out facts: filtered realistic ranks over all concepts, in both "
        "directions, beside scorers without training. Relation classification: which relation "
        "holds between two linked concepts, by their vectors. Probes: what the stored vector, and "
        "the name's text vector alone, tell a reader who can only compare or project."
    )
    tables = [
        Table(turned(beside.rename({"encoder": ""}).to_dicts()), "Side by side"),
        Table(ranks, "Link prediction"),
        Table(relations, "Relation classification"),
        *(Table(turned(rows), f"Probes: {name}") for name, rows in probes.items()),
    ]
    return Part("Graph encoders", text, figures, tables)


def _side_by_side(contents: Contents, measured: Mapping[str, EncoderMetrics]) -> pl.DataFrame:
    """A row an encoder, and one a scorer without training; what the LLM answers with each too."""
    table = comparison(measured).with_columns(pl.selectors.float().round(4))
    answered: dict[str, dict[str, float]] = {}
    for run in contents.runs:
        if run.encoder is not None:
            column = answered.setdefault(f"{run.dataset} by {run.model}, %", {})
            column[run.encoder] = round(100 * read_document(run.result, Result).accuracy, 1)
    return table.with_columns(
        pl.col("encoder").replace_strict(by_encoder, default=None, return_dtype=pl.Float64).alias(k)
        for k, by_encoder in answered.items()
    )


def graph(contents: Contents) -> Part:
    """Sizes of the graph; of relations, types and sources the largest 20; what became of rows."""
    summary = read_json(contents.graph)
    counts = ("relations", "semantic_types", "sources")
    sizes = {k: v for k, v in summary.items() if k not in (*counts, "files")}
    sizes = {k: v for k, v in flat(sizes).items() if not k.startswith("degree histogram")}
    tables = [Table([{"": key, "number": value} for key, value in sizes.items()], contents.kg)]
    for name in counts:
        rows = [{name.replace("_", " "): k, "number": v} for k, v in summary[name].items()]
        tables.append(Table(rows[:20]))
    degrees = summary["degree"].get("histogram", {})
    rows = [{"triplets of a concept": k, "concepts": number} for k, number in degrees.items()]
    tables.append(Table(rows))
    tables.append(Table(list(_file_rows(summary["files"])), "Rows of the source's files"))
    return Part("The graph", "", (), tables)


def _file_rows(files: Mapping[str, Any]) -> Iterator[Row]:
    for name, counts in files.items():
        for what, number in flat(counts).items():
            yield {"file": name, "rows": what.replace("dropped ", "dropped: "), "number": number}


def spaces(contents: Contents) -> Part:
    """What `meg.space` found: the maps, how far types are apart, and neighbours."""
    figures, tables = [], []
    for model, path in contents.spaces.items():
        found = read_json(path)
        names = {"before": "as stored", "after": f"through the mapper of {model}"}
        panels = {
            title: _clouds(found["types"], found["points"][where]) for where, title in names.items()
        }
        figures.append(clouds(panels))
        measures = [{"space": names[k]} | flat(v) for k, v in found["measures"].items()]
        if measures:
            tables.append(Table(measures, f"{model}: semantic types"))
        nearest = [
            {"concept": row["concept"], "type": row["type"]}
            | {f"nearest {title}": "; ".join(row[where]) for where, title in names.items()}
            for row in found["nearest"]
        ]
        tables.append(Table(nearest, f"{model}: nearest concepts"))
    text = (
        "Concept vectors as stored and as the LLM sees them after Phase I: t-SNE of some concepts "
        "of the largest semantic types (distances between far points mean nothing), how well the "
        "types are apart by cosine, and the nearest concepts of a few."
    )
    return Part("The space", text, figures, tables)


def _clouds(types: list[str], points: list[list[float]]) -> list[Cloud]:
    return [
        Cloud(kind, [xy for other, xy in zip(types, points, strict=True) if other == kind])
        for kind in dict.fromkeys(types)
    ]
