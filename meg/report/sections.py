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


def _groups(results: Results) -> dict[str, Results]:
    """Results by data set and model, which share figures and tables."""
    groups: dict[str, Results] = {}
    for run, result in results:
        groups.setdefault(f"{run.dataset}, {run.model}", []).append((run, result))
    return groups


def _accuracy(results: Results) -> Part:
    figures, tables = [], []
    for name, group in _groups(results).items():
        bars = [Interval(run.variant, *_percent(result)) for run, result in group]
        chance = 100 / len(group[0][1]["classes"])
        figures.append(intervals(bars, f"{name}: right answers, %", chance))
        tables.append(Table([_accuracy_row(*one) for one in group], name))
    text = "Right answers, %, with Wilson's 95% interval; the dotted line is chance."
    return Part("Accuracy", text, figures, tables)


def _accuracy_row(run: RunFiles, result: Mapping[str, Any]) -> Row:
    value, low, high = _percent(result)
    return {
        "variant": run.variant,
        "what it is": run.description,
        "accuracy": value,
        "from": low,
        "to": high,
        "questions": result["n"],
        "unanswered": result["unanswered"],
        "concepts a question": result["concepts"],
    }


def _comparisons(results: Results) -> Part:
    tables = [
        Table([row for one in group for row in _comparison_rows(*one)], name)
        for name, group in _groups(results).items()
    ]
    text = (
        "The same questions answered by two runs: percentage points more, with the 95% interval of "
        "a paired bootstrap, and the exact p-value of McNemar's test."
    )
    return Part("Comparisons", text, (), tables)


def _comparison_rows(run: RunFiles, result: Mapping[str, Any]) -> list[Row]:
    return [
        {
            "variant": run.variant,
            "against": name,
            "accuracy": _rounded(result["accuracy"]),
            "its accuracy": _rounded(other["accuracy"]),
            "points more": _rounded(other["difference"]),
            "from": _rounded(other["interval"][0]),
            "to": _rounded(other["interval"][1]),
            "right only here": other["gained"],
            "right only there": other["lost"],
            "p": other["mcnemar_p"],
        }
        for name, other in result["comparisons"].items()
    ]


def _kinds(results: Results) -> Part:
    tables = []
    for name, group in _groups(results).items():
        rows = [
            {"variant": run.variant}
            | {kind: _rounded(values["accuracy"]) for kind, values in result["kinds"].items()}
            for run, result in group
            if len(result["kinds"]) > 1
        ]
        tables.append(Table(rows, name))
    return Part("Kinds of question", "Right answers, %, by kind.", (), tables)


def _phases(contents: Contents) -> Part:
    figures, tables = [], []
    for title, field in (("Phase I", "align"), ("Phase II", "finetune")):
        folders = dict.fromkeys(getattr(run, field) for run in contents.runs if getattr(run, field))
        histories = {folder.name: _steps(folder) for folder in folders}
        panels = {f"{title}, {name}": _losses(rows) for name, rows in histories.items() if rows}
        if panels:
            figures.append(curves(panels, "step"))
        rows = [{"model": f.name} | _flat(read_json(f / "metrics.json")) for f in folders]
        tables.append(Table(rows, title))
    text = (
        "Training losses by optimiser step. Name retrieval: how often a mapped vector is nearest "
        "to its own concept's name."
    )
    return Part("Training", text, figures, tables)


def _steps(folder: Path) -> list[Row]:
    """What was logged of a phase itself: neither of the mapper alone nor the closing summary."""
    return [row for row in read_history(folder) if "stage" not in row and "loss" in row]


def _losses(rows: list[Row]) -> list[Curve]:
    names = [name for name in rows[0] if name.startswith("loss")]
    return [_curve(rows, name, "step") for name in names]


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
    """Runs of the same machine and versions make one row."""
    rows: list[Row] = []
    for _, result in results:
        about = result["run"]
        row = _flat(about.get("hardware", {})) | _flat(about.get("versions", {}))
        if row not in rows:
            rows.append(row)
    return Part("Machine and versions", "", (), [Table(rows)])


def _rounded(share: float) -> float:
    """Percent, as far as it is worth reading."""
    return round(100 * share, 1)


def _percent(result: Mapping[str, Any]) -> tuple[float, float, float]:
    low, high = result["wilson"]
    return _rounded(result["accuracy"]), _rounded(low), _rounded(high)


def _curve(history: Iterable[Row], name: str, x: str) -> Curve:
    points = [(row[x], row[name]) for row in history if name in row]
    return Curve(name.replace("_", " "), [p[0] for p in points], [p[1] for p in points])


def _flat(values: Mapping[str, Any], above: str = "") -> Row:
    """Nested numbers as one row: {"a": {"b": 1}} -> {"a b": 1}."""
    row: Row = {}
    for name, value in values.items():
        label = f"{above} {name}".strip().replace("_", " ")
        row |= _flat(value, label) if isinstance(value, Mapping) else {label: value}
    return row
