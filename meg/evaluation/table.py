"""Results as lines of text."""

from collections.abc import Callable, Mapping

from meg.evaluation.result import Compared, Result, SeedsResult, Share, Spread

__all__ = ["FEW", "FILES", "kinds_table", "table"]

Row = tuple[str, ...]
Answered = Result | Compared
Shown = Answered | SeedsResult
Show = Callable[[float], str]

FILES: tuple[type[Shown], ...] = (Result, SeedsResult, Compared)
"""Files that a table can be made of."""

HEADER = ("result", "compared with", "n", "accuracy [95%]", "gain over it [95%]", "p")

WIDTHS = (26, 21, 5, 17, 20)
"""Of all columns but the last: a line has 100 characters at most."""

FEW = 6
"""Questions that one run alone answers rightly, below which McNemar's exact p is over .05 however
they are split."""


def table(results: Mapping[str, Shown]) -> list[str]:
    """Lines of text for results by their name; percent and percentage points.

    The first line of a result is the run itself, the others are the runs that it is compared
    with: their accuracy, how much better the run itself is, and McNemar's p. A result over seeds
    has its number of seeds and standard deviations there. Lines behind the table name the
    comparisons in which the runs hardly differ.
    """
    rows: list[Row] = [HEADER]
    for name, result in results.items():
        if isinstance(result, SeedsResult):
            rows += _over_seeds(name, result)
        else:
            rows += _one_run(name, result)
    return [_line(row) for row in rows] + [
        f"{name} and {other}: {one.gained + one.lost} questions are answered rightly by one "
        f"alone; of fewer than {FEW} no split is more than chance"
        for name, result in results.items()
        if not isinstance(result, SeedsResult)
        for other, one in result.comparisons.items()
        if one.gained + one.lost < FEW
    ]


def kinds_table(results: Mapping[str, Shown]) -> list[str]:
    """The same runs by kind of question, percent right; nothing where no result has several."""
    by_kind = {
        name: result.kinds
        for name, result in results.items()
        if not isinstance(result, SeedsResult)
    }
    names = list(dict.fromkeys(kind for kinds in by_kind.values() for kind in kinds))
    if len(names) < 2:
        return []
    rows = [("result", *names)]
    for name, kinds in by_kind.items():
        shares = [_percent(kinds[kind].accuracy) if kind in kinds else "" for kind in names]
        rows.append((name, *shares))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _one_run(name: str, result: Answered) -> list[Row]:
    rows: list[Row] = [(name, "", str(result.n), _accuracy(result), "", "")]
    for other, compared in result.comparisons.items():
        gain = f"{_points(compared.difference)} {_interval(compared.interval, _points)}"
        rows.append(("", other, "", _accuracy(compared), gain, _p(compared.mcnemar_p)))
    return rows


def _over_seeds(name: str, result: SeedsResult) -> list[Row]:
    seeds = f"(mean of {len(result.seeds)} seeds)"
    rows: list[Row] = [(name, seeds, str(result.n), _spread(result.accuracy, _percent), "", "")]
    for other, gain in result.differences.items():
        rows.append(("", other, "", "", _spread(gain, _points), ""))
    return rows


def _accuracy(result: Share) -> str:
    return f"{_percent(result.accuracy)} {_interval(result.wilson, _percent)}"


def _interval(interval: tuple[float, float], show: Show) -> str:
    return f"[{show(interval[0])}, {show(interval[1])}]"


def _spread(values: Spread, show: Show) -> str:
    return f"{show(values.mean)} ± {_percent(values.standard_deviation)}"


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"


def _points(share: float) -> str:
    return f"{100 * share:+.1f}"


def _p(value: float) -> str:
    return "<.001" if value < 0.001 else f"{value:.3f}"[1:] if value < 1 else "1"


def _line(row: Row) -> str:
    texts = (*(_fitting(*name) for name in zip(row[:2], WIDTHS, strict=False)), *row[2:])
    cells = [f"{text:<{width}}" for text, width in zip(texts, WIDTHS, strict=False)]
    return " ".join([*cells, row[-1]]).rstrip()


def _fitting(cell: str, width: int) -> str:
    """The end of a name that is too long: there the names of runs differ."""
    return cell if len(cell) <= width else "…" + cell[1 - width :]
