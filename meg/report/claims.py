"""What the numbers say, in sentences: the gain, how sure it is, and what was done to questions."""

from collections.abc import Mapping, Sequence
from typing import Any

from meg.evaluation.result import Result
from meg.report.contents import Results, RunFiles

__all__ = ["gains", "interval", "of_questions", "over_seeds", "p_value", "percent", "yardstick"]


def gains(groups: Mapping[str, Results]) -> str:
    """A sentence for the first run of each group: its gain over its yardstick, with interval."""
    return " ".join(_gain(*group[0]) for group in groups.values())


def yardstick(result: Result) -> str | None:
    """The run that a result is to be held against: that without a graph, else the first."""
    compared = result.comparisons
    return "text_only" if "text_only" in compared else next(iter(compared), None)


def over_seeds(results: Results) -> str:
    """Of what the intervals are, and whether anything says how far another training would be."""
    repeated = [run.variant for run, _ in results if run.seeds is not None]
    drawn = "The intervals are of the questions drawn, not of the training."
    if not repeated:
        return (
            f"{drawn} Every run was trained once, so how far another seed would be from it is not "
            "measured; a target's seeds in the configuration do that."
        )
    return f"{drawn} How far seeds are apart, as standard deviation: {', '.join(repeated)}."


def of_questions(dataset: str, summary: Mapping[str, Any], results: Results) -> str:
    """How many questions a data set has, and how many were left out, stand twice, were cut."""
    total = sum(split["questions"] for split in summary["splits"].values())
    left_out = sum(not one["kept"] for one in summary["problems"])
    twice = sum(len(groups) for groups in summary["duplicates"].values())
    cut = max((r.shortened for run, r in results if run.dataset == dataset), default=0)
    return (
        f"{dataset}: {total:,} questions; {left_out:,} items left out as they could not be used, "
        f"{twice:,} groups of equal questions, {cut:,} test questions shortened to fit the LLM."
    )


def percent(share: float) -> float:
    """Percent, as far as it is worth reading."""
    return round(100 * share, 1)


def interval(bounds: Sequence[float]) -> str:
    """Both ends of an interval of shares, in percent."""
    low, high = map(percent, bounds)
    return f"{low} to {high}"


def p_value(p: float) -> str:
    """As papers write it."""
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def _gain(run: RunFiles, result: Result) -> str:
    answered = (
        f"{run.model} with the graph's vectors answers {percent(result.accuracy)}% of "
        f"{result.n:,} {run.dataset} questions right"
    )
    against = yardstick(result)
    if against is None:
        return f"{answered} (95% interval {interval(result.wilson)}), compared with no other run."
    other = result.comparisons[against]
    points = percent(other.difference)
    low, high = other.interval
    verdict = "" if low > 0 or high < 0 else ", which may be chance"
    than = "without the graph" if against == "text_only" else f"as {against}"
    return (
        f"{answered}, and {percent(other.accuracy)}% {than}: {abs(points)} percentage points "
        f"{'more' if points >= 0 else 'fewer'} (95% interval {interval(other.interval)})"
        f"{verdict}."
    )
