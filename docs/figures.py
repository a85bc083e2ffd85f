"""The figures of the pages, from results: `docs/figures/`.

python docs/figures.py results/hpoquiz_smollm.json results/ablations/hpoquiz_smollm_options.json
"""

import argparse
import json
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

FOLDER = Path(__file__).parent / "figures"

TEAL, GREY, INK = "#00796b", "#9aa5a8", "#263238"
LABELS = {
    "main": "with the question's concept",
    "options": "with the options' concepts too",
    "text_only": "trained on text only",
    "permuted": "another concept's vector",
    "options_permuted": "other concepts' vectors, options too",
    "zero_shot": "LLM as it comes",
}
"""Variants of config/demo.yaml in words; others stand by their name."""

STYLE = {
    "font.size": 11,
    "svg.fonttype": "path",
    "svg.hashsalt": "meg",
    "text.color": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}


def draw_demo(results: list[Path], out: Path) -> None:
    """Accuracies with their intervals, of the results and of the runs they are compared with."""
    rows: dict[str, dict[str, Any]] = {}
    for path in results:
        result = json.loads(path.read_text())
        rows[result["about"]["variant"]] = result
        for name, other in result["comparisons"].items():
            rows.setdefault(name, {"accuracy": other["accuracy"], "wilson": other["wilson"]})
    names = sorted(rows, key=lambda name: rows[name]["accuracy"])
    figure, axes = plt.subplots(figsize=(7.6, 0.5 * len(names) + 1.2), layout="constrained")
    for place, name in enumerate(names):
        _bar(axes, place, rows[name], TEAL if name in ("main", "options") else GREY)
    axes.axvline(25, color=INK, linewidth=1, linestyle=":")
    axes.text(25.6, len(names) - 0.55, "chance", fontsize=9, va="center")
    axes.set_yticks(range(len(names)), [LABELS.get(name, name) for name in names])
    axes.set_ylim(-0.6, len(names) - 0.3)
    axes.set_xlim(0, 100)
    axes.set_xlabel("right answers, %, with 95% intervals")
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(left=False)
    _save(figure, out)


def _bar(axes: Axes, place: int, row: dict[str, Any], colour: str) -> None:
    low, high = (100 * bound for bound in row["wilson"])
    value = 100 * row["accuracy"]
    axes.barh(place, value, color=colour, height=0.62)
    axes.plot([low, high], [place, place], color=INK, linewidth=1.4)
    axes.text(high + 1.2, place, f"{value:.1f}", va="center", fontweight="bold")


def draw_idea(out: Path) -> None:
    """A question, the vector of its concept, and the LLM that reads it like a word."""
    figure, axes = plt.subplots(figsize=(8.2, 3.0), layout="constrained")
    axes.set_xlim(1, 83)
    axes.set_ylim(1, 31)
    axes.axis("off")
    words = ["Which is a", "finding in", "Marfan", "syndrome", "◆", "?"]
    left = 2.0
    for word in words:
        width = 5 if len(word) == 1 else 4 + 1.15 * len(word)
        vector = word == "◆"
        _box(axes, (left, 13, width, 5.2), word, TEAL if vector else "#eceff1", vector)
        if vector:
            _arrow(axes, (left + width / 2, 23.3), (left + width / 2, 18.6))
            _box(axes, (left - 4.5, 23.5, 14, 6), "mapper", "#b2dfdb", False)
            _arrow(axes, (36.4, 26.5), (left - 4.8, 26.5))
        left += width + 1.2
    _box(axes, (2, 23.5, 34, 6), "graph: vector of Marfan syndrome", "#b2dfdb", False)
    _box(
        axes, (2, 2, left - 3.2, 6), "language model (frozen, with LoRA adapters)", "#eceff1", False
    )
    _arrow(axes, (left / 2, 12.7), (left / 2, 8.3))
    _arrow(axes, (left - 0.8, 5), (left + 5, 5))
    axes.text(left + 5.8, 5, "Arachnodactyly", va="center", fontweight="bold")
    _save(figure, out)


def _box(axes: Axes, place: tuple[float, ...], text: str, colour: str, vector: bool) -> None:
    x, y, width, height = place
    axes.add_patch(
        FancyBboxPatch((x, y), width, height, boxstyle="round,pad=0.2", fc=colour, ec="none")
    )
    ink = "white" if vector else INK
    axes.text(x + width / 2, y + height / 2, text, ha="center", va="center", color=ink)


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    axes.add_patch(
        FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=14, color=INK, linewidth=1.3)
    )


def _save(figure: Any, out: Path) -> None:
    """Deterministic: equal results make equal files. A white ground, for dark pages too."""
    out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(out, facecolor="white", metadata={"Date": None})
    plt.close(figure)


def main() -> None:
    """Draw both."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("results", nargs="+", type=Path, help="results of the demo's main runs")
    parser.add_argument("--out", type=Path, default=FOLDER, help="folder of the figures")
    arguments = parser.parse_args()
    mpl.use("svg")
    with mpl.rc_context(STYLE):
        draw_demo(arguments.results, arguments.out / "demo.svg")
        draw_idea(arguments.out / "idea.svg")


if __name__ == "__main__":
    main()
