"""The page's sections: results, trainings, encoders and graph as text, figures and tables."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from kg.artefact import read_json
from meg.report.contents import Contents, Row, RunFiles, read_history, read_result, read_runtimes
from meg.report.figures import Curve, Interval, curves, intervals
from meg.report.page import Part, Table

__all__ = ["sections"]

Results = list[tuple[RunFiles, Mapping[str, Any]]]


def sections(contents: Contents) -> list[Part]:
    """Every section that the files allow, what matters most first."""
    results = [(run, read_result(run.result)) for run in contents.runs]
    parts = [
        _accuracy(results),
        _comparisons(results),
        _kinds(results),
        _phases(contents),
        _encoders(contents),
        _graph(contents),
        _runtimes(contents),
        _circumstances(results),
    ]
    return [part for part in parts if part.figures or any(table.rows for table in part.tables)]


def _accuracy(results: Results) -> Part:
    groups = dict.fromkeys((run.dataset, run.model) for run, _ in results)
    figures, rows = [], []
    for dataset, model in groups:
        own = [(r, x) for r, x in results if (r.dataset, r.model) == (dataset, model)]
        bars = [Interval(run.variant, *_percent(result)) for run, result in own]
        options = len(own[0][1]["classes"])
        figures.append(intervals(bars, f"{dataset}, {model}: right answers, %", 100 / options))
        rows += [_accuracy_row(run, result) for run, result in own]
    text = "Right answers with Wilson's 95% interval; the dotted line is chance."
    return Part("Accuracy", text, figures, [Table(rows)])


def _accuracy_row(run: RunFiles, result: Mapping[str, Any]) -> Row:
    value, low, high = _percent(result)
    return {
        "data set": run.dataset,
        "model": run.model,
        "variant": run.variant,
        "accuracy": value,
        "from": low,
        "to": high,
        "questions": result["n"],
        "unanswered": result["unanswered"],
        "concepts a question": result["concepts"],
        "what it is": run.description,
    }


def _comparisons(results: Results) -> Part:
    rows = [
        {
            "data set": run.dataset,
            "model": run.model,
            "variant": run.variant,
            "against": other,
            "accuracy": 100 * result["accuracy"],
            "theirs": 100 * compared["accuracy"],
            "points more": 100 * compared["difference"],
            "from": 100 * compared["interval"][0],
            "to": 100 * compared["interval"][1],
            "only here right": compared["gained"],
            "only there right": compared["lost"],
            "McNemar p": compared["mcnemar_p"],
        }
        for run, result in results
        for other, compared in result["comparisons"].items()
    ]
    text = (
        "The same questions answered by two runs: percentage points more, with the 95% interval of "
        "a paired bootstrap, and the exact p-value of McNemar's test."
    )
    return Part("Comparisons", text, (), [Table(rows)])


def _kinds(results: Results) -> Part:
    rows = [
        {"data set": run.dataset, "model": run.model, "variant": run.variant}
        | {kind: 100 * values["accuracy"] for kind, values in result["kinds"].items()}
        for run, result in results
        if len(result["kinds"]) > 1
    ]
    return Part("Kinds of question", "Right answers by kind, %.", (), [Table(rows)])


def _phases(contents: Contents) -> Part:
    figures, rows = [], []
    for title, field in (("Phase I", "align"), ("Phase II", "finetune")):
        folders = dict.fromkeys(getattr(run, field) for run in contents.runs if getattr(run, field))
        panels = {}
        for folder in folders:
            history = [row for row in read_history(folder) if row.get("stage") != "mapper"]
            names = [n for n in dict.fromkeys(k for row in history for k in row) if "loss" in n]
            lines = [_curve(history, name, "step") for name in names if name != "train_loss"]
            if history:
                panels[f"{title}, {folder.name}"] = lines
            rows += _flat_row({"phase": title, "model": folder.name}, folder / "metrics.json")
        if panels:
            figures.append(curves(panels, "step"))
    text = (
        "Training losses by optimiser step; name retrieval: how often a mapped vector is nearest "
    )
    return Part("Training", text + "to its own concept's name.", figures, [Table(rows)])


def _encoders(contents: Contents) -> Part:
    panels, ranks, probes = {}, [], []
    for name, folder in contents.encoders.items():
        metrics = read_json(folder / "metrics.json")
        for scorer, row in metrics["link_prediction"].items():
            label = name if scorer == "test" else scorer.replace("_", " ")
            numbers = {key: value for key, value in row.items() if not isinstance(value, dict)}
            ranks.append({"encoder": name, "scored by": label} | numbers)
        for vectors, row in metrics["probes"].items():
            probes.append({"encoder": name, "vectors": vectors} | _flat(row))
        history = read_history(folder)
        panels[f"{name}: loss"] = [_curve(history, "loss", "epoch")]
        panels[f"{name}: validation MRR"] = [_curve(history, "mrr", "epoch")]
    text = (
        "Link prediction on held-out facts: filtered realistic ranks over all concepts, in both "
        "directions, beside scorers without training. Probes: what the stored vector, and the "
        "name's text vector alone, tell a reader who can only compare or project."
    )
    tables = [Table(ranks, "Link prediction"), Table(probes, "Probes")]
    return Part("Graph encoders", text, [curves(panels, "epoch")] if panels else [], tables)


def _graph(contents: Contents) -> Part:
    summary = read_json(contents.graph)
    counts = ("relations", "semantic_types", "sources")
    sizes = {k: v for k, v in summary.items() if k not in (*counts, "files")}
    sizes = {k: v for k, v in _flat(sizes).items() if not k.startswith("degree histogram")}
    tables = [Table([{"": key, "number": value} for key, value in sizes.items()], contents.kg)]
    for name in counts:
        rows = [{name.replace("_", " "): k, "number": v} for k, v in summary[name].items()]
        tables.append(Table(rows[:20]))
    return Part("The graph", "", (), tables)


def _runtimes(contents: Contents) -> Part:
    rows = read_runtimes(contents.runtimes)
    total = sum(row["minutes"] for row in rows)
    text = f"{total:.1f} minutes in all, one job after another; memory is the largest resident set."
    return Part("Runtimes", text, (), [Table(sorted(rows, key=lambda row: -row["minutes"]))])


def _circumstances(results: Results) -> Part:
    rows = [
        {"data set": run.dataset, "model": run.model, "variant": run.variant}
        | _flat(result["run"].get("hardware", {}))
        | _flat(result["run"].get("versions", {}))
        for run, result in results
    ]
    return Part("Machine and versions", "", (), [Table(rows)])


def _percent(result: Mapping[str, Any]) -> tuple[float, float, float]:
    low, high = result["wilson"]
    return 100 * result["accuracy"], 100 * low, 100 * high


def _curve(history: Iterable[Row], name: str, x: str) -> Curve:
    points = [(row[x], row[name]) for row in history if name in row]
    return Curve(name.replace("_", " "), [p[0] for p in points], [p[1] for p in points])


def _flat_row(start: Row, path: Path) -> list[Row]:
    return [start | _flat(read_json(path))] if path.is_file() else []


def _flat(values: Mapping[str, Any], above: str = "") -> Row:
    """Nested numbers as one row: {"a": {"b": 1}} -> {"a b": 1}."""
    row: Row = {}
    for name, value in values.items():
        label = f"{above} {name}".strip().replace("_", " ")
        row |= _flat(value, label) if isinstance(value, Mapping) else {label: value}
    return row
