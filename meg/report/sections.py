"""The page's sections: results, trainings, encoders and graph as text, figures and tables."""

from collections import Counter
from pathlib import Path

from kg.shared.artefact import read_json
from kg.shared.documents import read_document
from meg.evaluation.result import OptionCounts, Result, SeedsResult
from meg.evaluation.table import FEW
from meg.report.answers import answers
from meg.report.claims import interval, of_questions, over_seeds, p_value, percent, yardstick
from meg.report.contents import Contents, Results, Row, RunFiles, by_group, flat
from meg.report.embeddings import encoders, graph, spaces
from meg.report.figures import Interval, intervals
from meg.report.page import Part, Table
from meg.report.trainings import runtimes, trainings

__all__ = ["sections"]

FLAWED = 20
"""Items shown; summary.json of meg.questions names all."""


def sections(contents: Contents, results: Results) -> list[Part]:
    """Every section that the files allow, what matters most first."""
    parts = [
        _accuracy(results),
        _comparisons(results),
        _kinds(results),
        _measures(results),
        _answers(results, contents.concepts),
        _questions(contents, results),
        trainings(contents),
        encoders(contents),
        spaces(contents),
        graph(contents),
        runtimes(contents),
        _circumstances(results),
    ]
    return [part for part in parts if part.figures or any(table.rows for table in part.tables)]


def _accuracy(results: Results) -> Part:
    figures, tables = [], []
    for name, group in by_group(results).items():
        bars = [Interval(run.variant, *_percent(result)) for run, result in group]
        chance = 100 / len(group[0][1].classes)
        figures.append(intervals(bars, f"{name}: right answers, %", chance))
        tables.append(Table([_accuracy_row(*one) for one in group], name))
    text = (
        "Right answers, %, with Wilson's 95% interval; the dotted line is chance. The row main "
        "is the run as it is configured; each other differs from it by what its row says. "
        + over_seeds(results)
    )
    return Part("Accuracy", text, figures, tables)


def _accuracy_row(run: RunFiles, result: Result) -> Row:
    main = f"the graph's vectors, by {run.encoder}" if run.encoder else "as configured"
    return {
        "run": run.variant,
        "what it is": run.description or main,
        "right answers, %": percent(result.accuracy),
        "95% interval": interval(result.wilson),
        "questions": result.n,
        "unanswered": result.unanswered,
        "concepts a question": round(result.concepts, 1),
    } | _beside(run)


def _beside(run: RunFiles) -> Row:
    """What stands beside an accuracy where it is known: that of more seeds, and that of others."""
    row: Row = {f"published, {one.source}": one.accuracy for one in run.published}
    if run.seeds is None:
        return row
    seeds = read_document(run.seeds, SeedsResult).accuracy
    deviation = percent(seeds.standard_deviation)
    return row | {
        "mean and standard deviation over seeds": f"{percent(seeds.mean)} ± {deviation}",
        "seeds": len(seeds.values),
    }


def _comparisons(results: Results) -> Part:
    tables = [
        Table([row for one in group for row in _comparison_rows(*one)], name)
        for name, group in by_group(results).items()
    ]
    text = (
        "The same questions answered by two runs: percentage points more, with Tango's 95% score "
        "interval, the questions that only one of the two answers rightly, and the exact p-value "
        f"of McNemar's test. Where fewer than {FEW} questions are right in one run alone, no split "
        "of them is more than chance."
    )
    return Part("Comparisons", text, (), tables)


def _comparison_rows(run: RunFiles, result: Result) -> list[Row]:
    return [
        {
            "run": run.variant,
            "held against": name,
            "the run, %": percent(result.accuracy),
            "the other, %": percent(other.accuracy),
            "points more": percent(other.difference),
            "95% interval": interval(other.interval),
            "only the run right": other.gained,
            "only the other right": other.lost,
            "p": p_value(other.mcnemar_p),
        }
        for name, other in result.comparisons.items()
    ]


def _kinds(results: Results) -> Part:
    tables = []
    for name, group in by_group(results).items():
        rows = [
            {"run": run.variant}
            | {kind: percent(values.accuracy) for kind, values in result.kinds.items()}
            for run, result in group
            if len(result.kinds) > 1
        ]
        tables.append(Table(rows, name))
    return Part("Kinds of question", "Right answers, %, by kind.", (), tables)


def _measures(results: Results) -> Part:
    """What else `meg.score` says of a run; options too, where all questions have the same."""
    tables = []
    for name, group in by_group(results).items():
        tables.append(Table([_measure_row(*one) for one in group], name))
        classes = [
            {"run": run.variant, "option": option} | _class_row(counts)
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
    row: Row = {"run": run.variant, "mean over kinds": percent(result.macro_accuracy)}
    if result.macro_f1 is not None:
        row["macro F1"] = percent(result.macro_f1)
    if result.calibration_error is not None:
        row["calibration error"] = percent(result.calibration_error)
    return row | {"position bias": percent(result.position_bias)}


def _class_row(counts: OptionCounts) -> Row:
    names = {"right": "times correct", "chosen": "times chosen", "both": "times both"}
    return {shown: getattr(counts, name) for name, shown in names.items()} | {
        "F1": percent(counts.f1)
    }


def _answers(results: Results, concepts: Path) -> Part:
    """The main run of each group beside the first that it is compared with."""
    tables = []
    for name, group in by_group(results).items():
        run, result = group[0]
        others = {other.variant: other for other, _ in group}
        first = others.get(yardstick(result) or "")
        if first is not None:
            tables.append(Table(answers(run, first, concepts), f"{name}: {first.description}"))
    text = (
        "Test questions as two runs answered them: the first of each case in the file's order, "
        "with the concepts whose vectors were injected."
    )
    return Part("Answers", text, (), tables)


def _questions(contents: Contents, results: Results) -> Part:
    sentences = []
    counts: list[Row] = []
    twice: list[Row] = []
    flawed: list[Row] = []
    for dataset, path in contents.datasets.items():
        summary = read_json(path)
        sentences.append(of_questions(dataset, summary, results))
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
    return Part("Questions", " ".join(sentences), (), tables)


def _circumstances(results: Results) -> Part:
    """Runs of the same machine and versions make one row."""
    rows: list[Row] = []
    for _, result in results:
        hardware = result.run.hardware
        row = flat(hardware.model_dump() if hardware else {}) | flat(result.run.versions)
        if row not in rows:
            rows.append(row)
    return Part("Machine and versions", "", (), [Table(rows)])


def _percent(result: Result) -> tuple[float, float, float]:
    low, high = result.wilson
    return percent(result.accuracy), percent(low), percent(high)
