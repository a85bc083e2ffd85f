"""Result files to a table on the terminal: each run and what it is compared with."""

import sys
from pathlib import Path
from typing import Any

from pydantic import Field
from pydantic_settings import CliPositionalArg

from kg.artefact import read_json
from kg.command import Command, main
from kg.errors import InputError

__all__ = ["kinds_table", "table"]

HEADER = ("result", "compared with", "n", "accuracy [95%]", "gain over it [95%]", "p")
WIDTHS = (26, 21, 5, 17, 20)
"""Of all columns but the last: a line has 100 characters at most."""


def table(results: dict[str, dict[str, Any]]) -> list[str]:
    """Lines of text for results by their name; percent and percentage points.

    The first line of a result is the run itself, the others are the runs that it is compared
    with: their accuracy, how much better the run itself is, and McNemar's p.
    """
    rows = [HEADER]
    for name, result in results.items():
        rows.append((name, "", str(result["n"]), _accuracy(result), "", ""))
        for other, compared in result["comparisons"].items():
            gain = f"{_points(compared['difference'])} {_interval(compared['interval'], _points)}"
            rows.append(("", other, "", _accuracy(compared), gain, _p(compared["mcnemar_p"])))
    return [_line(row) for row in rows]


def kinds_table(results: dict[str, dict[str, Any]]) -> list[str]:
    """The same runs by kind of question, percent right; nothing where no result has several."""
    names = list(dict.fromkeys(kind for result in results.values() for kind in result["kinds"]))
    if len(names) < 2:
        return []
    rows = [("result", *names)]
    for name, result in results.items():
        kinds = result["kinds"]
        shares = [_percent(kinds[kind]["accuracy"]) if kind in kinds else "" for kind in names]
        rows.append((name, *shares))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _accuracy(result: dict[str, Any]) -> str:
    return f"{_percent(result['accuracy'])} {_interval(result['wilson'], _percent)}"


def _interval(interval: list[float], show: Any) -> str:
    return f"[{show(interval[0])}, {show(interval[1])}]"


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"


def _points(share: float) -> str:
    return f"{100 * share:+.1f}"


def _p(value: float) -> str:
    return "<.001" if value < 0.001 else f"{value:.3f}"[1:] if value < 1 else "1"


def _line(row: tuple[str, ...]) -> str:
    texts = (*(_fitting(*name) for name in zip(row[:2], WIDTHS, strict=False)), *row[2:])
    cells = [f"{text:<{width}}" for text, width in zip(texts, WIDTHS, strict=False)]
    return " ".join([*cells, row[-1]]).rstrip()


def _fitting(cell: str, width: int) -> str:
    """The end of a name that is too long: there the names of runs differ."""
    return cell if len(cell) <= width else "…" + cell[1 - width :]


class SummaryCommand(Command):
    """Results as a table on the terminal."""

    results: CliPositionalArg[list[Path]] = Field(description="result files of meg.score")
    kinds: bool = Field(False, description="by kind of question too")

    def run(self) -> None:
        """Read the results and write their table to the standard output."""
        for path in self.results:
            if not path.is_file():
                raise InputError(f"{path} does not exist; make it with meg.score")
        found = {path.stem: read_json(path) for path in self.results}
        lines = table(found)
        if self.kinds and (kinds := kinds_table(found)):
            lines += ["", *kinds]
        sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(SummaryCommand)
