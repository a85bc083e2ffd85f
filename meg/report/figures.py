"""Figures as SVG text that follows the page's colours, so that they read in light and dark."""

import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

__all__ = ["Cloud", "Curve", "Interval", "clouds", "curves", "history_curve", "intervals", "styled"]

INK = "#010203"
"""Stands for the page's text colour, which the written SVG names in its place."""

COLOURS = ("#3b82c4", "#d9772b", "#3f9e6b", "#b5568f", "#8a7fd1", "#8f8a3a", "#5a9aa8", "#c05050")
"""Readable on white and on dark grey."""

STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text: it can be found and takes the page's font
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.titlesize": 10,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
}

_salts = count()


@dataclass(frozen=True)
class Interval:
    """A share with its 95% interval, in percent."""

    label: str
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Curve:
    """Values over steps (or epochs)."""

    label: str
    x: Sequence[float]
    y: Sequence[float]


@dataclass(frozen=True)
class Cloud:
    """Points of one kind in the plane, (point, 2)."""

    label: str
    points: Sequence[Sequence[float]]


def history_curve(history: Iterable[Mapping[str, Any]], name: str, x: str) -> Curve:
    """Values of `name` over `x`, from the rows that have one."""
    points = [(row[x], row[name]) for row in history if name in row]
    return Curve(name.replace("_", " "), [p[0] for p in points], [p[1] for p in points])


def intervals(rows: Sequence[Interval], xlabel: str, chance: float | None = None) -> str:
    """One row an interval, the first on top, with its number; a line where chance is."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.5, 0.7 + 0.36 * len(rows)), layout="constrained")
        axes = figure.subplots()
        for place, row in enumerate(rows):
            colour = COLOURS[place % len(COLOURS)]
            axes.plot([row.low, row.high], [place, place], color=colour, linewidth=3, alpha=0.55)
            axes.plot(row.value, place, "o", color=colour, markersize=7)
            axes.annotate(
                f"{row.value:.1f}",
                (row.high, place),
                xytext=(6, 0),
                textcoords="offset points",
                va="center",
            )
        if chance is not None:
            axes.axvline(chance, color=INK, linewidth=0.8, linestyle=":", alpha=0.7)
        axes.set_yticks(range(len(rows)), [row.label for row in rows])
        axes.invert_yaxis()
        axes.set_xlabel(xlabel)
        axes.margins(x=0.12, y=0.12)
        return _svg(figure)


def curves(panels: Mapping[str, Sequence[Curve]], xlabel: str) -> str:
    """Small multiples, two a row: title -> curves. All share the meaning of the x axis."""
    rows = (len(panels) + 1) // 2
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(8.5, 2.5 * rows), layout="constrained")
        grid = list(figure.subplots(rows, 2, squeeze=False).flat)
        for axes, (title, lines) in zip(grid, panels.items(), strict=False):
            _draw(axes, title, lines, xlabel)
        for axes in grid[len(panels) :]:
            axes.set_axis_off()
        return _svg(figure)


def clouds(panels: Mapping[str, Sequence[Cloud]]) -> str:
    """Clouds of points side by side: title -> clouds, the same kinds in each."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(4.4 * len(panels), 4.4), layout="constrained")
        grid = figure.subplots(1, len(panels), squeeze=False)[0]
        for axes, (title, kinds) in zip(grid, panels.items(), strict=True):
            for kind, colour in zip(kinds, COLOURS, strict=False):
                x, y = zip(*kind.points, strict=True)
                axes.scatter(x, y, s=7, color=colour, alpha=0.7, linewidths=0, label=kind.label)
            axes.set_title(title, loc="left")
            axes.set_xticks([])
            axes.set_yticks([])
        handles, labels = grid[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=3, markerscale=2)
        return _svg(figure)


def styled(draw: Callable[[], Figure]) -> str:
    """A figure made elsewhere, in the page's style."""
    with mpl.rc_context(STYLE):
        return _svg(draw())


def _draw(axes: Axes, title: str, lines: Sequence[Curve], xlabel: str) -> None:
    for line, colour in zip(lines, COLOURS, strict=False):
        axes.plot(line.x, line.y, color=colour, linewidth=1.5, label=line.label)
    axes.set_title(title, loc="left")
    axes.set_xlabel(xlabel)
    if len(lines) > 1:
        axes.legend(fontsize=8)


def _svg(figure: Figure) -> str:
    """The figure as an <svg> element whose ids are its own on the page."""
    text = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": str(next(_salts))}):
        figure.savefig(text, format="svg", transparent=True, metadata={"Date": None})
    svg = text.getvalue()
    return svg[svg.index("<svg") :].replace(INK, "currentColor")
