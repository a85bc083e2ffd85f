"""The page's sections: results, trainings, encoders and graph as text, figures and tables."""

from collections import Counter
from pathlib import Path

from kg.shared.artefact import read_json
from kg.shared.documents import read_document
from meg.evaluation.result import OptionCounts, Result, SeedsResult
from meg.evaluation.table import FEW
from meg.report.answers import answers
from meg.report.contents import Contents, Row, RunFiles, flat
from meg.report.embeddings import encoders, graph, spaces
from meg.report.figures import Interval, intervals
from meg.report.page import Part, Table
from meg.report.trainings import runtimes, trainings

__all__ = ["sections"]

FLAWED = 20
"""Items shown; summary.json of meg.questions names all."""

Results = list[tuple[RunFiles, Result]]


def sections(contents: Contents) -> list[Part]:
    """Every section that the files allow, what matters most first."""
    results = [(run, read_document(run.result, Result)) for run in contents.runs]
    parts = [
        _accuracy(results),
        _comparisons(results),
        _kinds(results),
        _measures(results),
        _answers(results, contents.concepts),
        _questions(contents),
        trainings(contents),
        encoders(contents),
        spaces(contents),
        graph(contents),
        runtimes(contents),
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
        chance = 100 / len(group[0][1].classes)
        figures.append(intervals(bars, f"{name}: right answers, %", chance))
        tables.append(Table([_accuracy_row(*one) for one in group], name))
    text = "Right answers, %, with Wilson's 95% interval; the dotted line is chance."
    return Part("Accuracy", text, figures, tables)


def _accuracy_row(run: RunFiles, result: Result) -> Row:
    value, low, high = _percent(result)
    return {
        "variant": run.variant,
        "what it is": run.description,
        "accuracy": value,
        "from": low,
        "to": high,
        "questions": result.n,
        "unanswered": result.unanswered,
        "concepts a question": result.concepts,
    } | _beside(run)


def _beside(run: RunFiles) -> Row:
    """What stands beside an accuracy where it is known: that of more seeds, and that of others."""
    row: Row = {f"published, {one.source}": one.accuracy for one in run.published}
    if run.seeds is None:
        return row
    over_seeds = read_document(run.seeds, SeedsResult).accuracy
    return row | {
        "seeds": len(over_seeds.values),
        "mean": _rounded(over_seeds.mean),
        "standard deviation": _rounded(over_seeds.standard_deviation),
    }


def _comparisons(results: Results) -> Part:
    tables = [
        Table([row for one in group for row in _comparison_rows(*one)], name)
        for name, group in _groups(results).items()
    ]
    text = (
        "The same questions answered by two runs: percentage points more, with Tango's 95% score "
        "interval, and the exact p-value of McNemar's test. Where fewer than "
        f"{FEW} questions are right in one run alone, no split of them is more than chance."
    )
    return Part("Comparisons", text, (), tables)


def _comparison_rows(run: RunFiles, result: Result) -> list[Row]:
    return [
        {
            "variant": run.variant,
            "against": name,
            "accuracy": _rounded(result.accuracy),
            "its accuracy": _rounded(other.accuracy),
            "points more": _rounded(other.difference),
            "from": _rounded(other.interval[0]),
            "to": _rounded(other.interval[1]),
            "right only here": other.gained,
            "right only there": other.lost,
            "p": other.mcnemar_p,
        }
        for name, other in result.comparisons.items()
    ]


def _kinds(results: Results) -> Part:
    tables = []
    for name, group in _groups(results).items():
        rows = [
            {"variant": run.variant}
            | {kind: _rounded(values.accuracy) for kind, values in result.kinds.items()}
            for run, result in group
            if len(result.kinds) > 1
        ]
        tables.append(Table(rows, name))
    return Part("Kinds of question", "Right answers, %, by kind.", (), tables)


def _measures(results: Results) -> Part:
    """What else `meg.score` says of a run; options too, where all questions have the same."""
    tables = []
    for name, group in _groups(results).items():
        tables.append(Table([_measure_row(*one) for one in group], name))
        classes = [
            {"variant": run.variant, "option": option} | _class_row(counts)
            for run, result in group
            if result.macro_f1 is not None
            for option, counts in result.classes.items()
        ]
        tables.append(Table(classes, f"{name}: options"))
    text = (
        "Means over kinds of question and over options, the expected calibration error of the "
        "scores' softmax, and how far the positions chosen are from those of the answers, in % "
        "(docs/reference/results.md)."
    )
    return Part("Beyond accuracy", text, (), tables)


def _measure_row(run: RunFiles, result: Result) -> Row:
    row: Row = {"variant": run.variant, "mean over kinds": _rounded(result.macro_accuracy)}
    if result.macro_f1 is not None:
        row["macro F1"] = _rounded(result.macro_f1)
    if result.calibration_error is not None:
        row["calibration error"] = _rounded(result.calibration_error)
    return row | {"position bias": _rounded(result.position_bias)}


def _class_row(counts: OptionCounts) -> Row:
    return {
        "answers": counts.right,
        "chosen": counts.chosen,
        "right": counts.both,
        "F1": _rounded(counts.f1),
    }


def _answers(results: Results, concepts: Path) -> Part:
    """The main run of each group beside the first that it is compared with."""
    tables = []
    for name, group in _groups(results).items():
        run, result = group[0]
        others = {other.variant: other for other, _ in group}
        first = next((others[k] for k in result.comparisons if k in others), None)
        if first is not None:
            tables.append(Table(answers(run, first, concepts), f"{name}: {first.description}"))
    text = (
        "Test questions as two runs answered them: the first of each case in the file's order, "
        "with the concepts whose vectors were injected."
    )
    return Part("Answers", text, (), tables)


def _questions(contents: Contents) -> Part:
    counts: list[Row] = []
    twice: list[Row] = []
    flawed: list[Row] = []
    for dataset, path in contents.datasets.items():
        summary = read_json(path)
        left_out = Counter(one["split"] for one in summary["problems"] if not one["kept"])
        counts += [
            {"data set": dataset, "split": split}
            | {"questions": count["questions"], "items left out": left_out[split]}
            for split, count in summary["splits"].items()
        ]
        twice += [
            {"data set": dataset, "splits": splits, "questions": len(groups)}
            for splits, groups in summary["duplicates"].items()
        ]
        flawed += [{"data set": dataset} | one for one in summary["problems"]]
    tables = [
        Table(counts),
        Table(twice, "Questions that stand more than once, within a split or across two"),
        Table(flawed[:FLAWED], f"Flawed items, the first {FLAWED} of {len(flawed)}"),
    ]
    return Part("Questions", "", (), tables)


def _circumstances(results: Results) -> Part:
    """Runs of the same machine and versions make one row."""
    rows: list[Row] = []
    for _, result in results:
        hardware = result.run.hardware
        row = flat(hardware.model_dump() if hardware else {}) | flat(result.run.versions)
        if row not in rows:
            rows.append(row)
    return Part("Machine and versions", "", (), [Table(rows)])


def _rounded(share: float) -> float:
    """Percent, as far as it is worth reading."""
    return round(100 * share, 1)


def _percent(result: Result) -> tuple[float, float, float]:
    low, high = result.wilson
    return _rounded(result.accuracy), _rounded(low), _rounded(high)
