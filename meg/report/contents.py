"""What the report tells of, and the files it is read from."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import Field, TypeAdapter, ValidationError

from kg.shared.command import Section
from kg.shared.documents import read_document
from kg.shared.errors import InputError
from kg.shared.lines import json_lines, read_text
from meg.evaluation.result import Result

__all__ = [
    "Contents",
    "PageFiles",
    "PublishedResult",
    "Results",
    "Row",
    "RunFiles",
    "by_group",
    "flat",
    "read_history",
    "read_results",
    "read_runs",
    "read_runtimes",
]

Row = dict[str, Any]
"""One line of a table, by column."""


class PublishedResult(Section):
    """What others report of the same setting."""

    accuracy: float = Field(description="right answers, %")
    source: str = Field(description="where it stands")


class RunFiles(Section):
    """A run and where its result and trainings are."""

    dataset: str = Field(description="what it answers")
    model: str = Field(description="the LLM's name")
    variant: str = Field(description="main, or what it is called")
    description: str = Field("", description="what differs from the main run")
    encoder: str | None = Field(
        None, description="its graph encoder, where the run differs from the main one in no more"
    )
    result: Path = Field(description="result of meg.score")
    seeds: Path | None = Field(None, description="mean over several seeds, of meg.seeds")
    published: list[PublishedResult] = Field([], description="the same setting by others")
    predictions: Path = Field(description="its answers: JSON lines of meg.predict")
    questions: Path = Field(description="the questions it answered")
    align: Path | None = Field(None, description="checkpoint folder of its Phase I")
    finetune: Path | None = Field(None, description="checkpoint folder of its Phase II")


class PageFiles(Section):
    """What one page shows beside the runs."""

    kg: str = Field(description="the graph's name")
    graph: Path = Field(description="summary.json of the graph")
    concepts: Path = Field(description="concepts.parquet of the graph")
    encoders: dict[str, Path] = Field({}, description="folders of the encoders, by name")
    spaces: dict[str, Path] = Field({}, description="what meg.space wrote, by model")
    datasets: dict[str, Path] = Field({}, description="summary.json of meg.questions, by data set")
    runtimes: Path = Field(description="folder of Snakemake's benchmark files")


class Contents(PageFiles):
    """All that one page shows."""

    runs: list[RunFiles] = Field([], description="runs, the main one of a data set first")


Results = list[tuple[RunFiles, Result]]
"""Runs with their results of meg.score."""


def read_runs(path: Path) -> list[RunFiles]:
    """The runs of a page, of a JSON list; raises InputError naming what does not fit."""
    try:
        return TypeAdapter(list[RunFiles]).validate_json(read_text(path, "run the workflow again"))
    except ValidationError as error:
        raise InputError(f"{path}: expected a list of runs: {error}") from error


def read_results(runs: Sequence[RunFiles]) -> Results:
    """Each run with its result."""
    return [(run, read_document(run.result, Result)) for run in runs]


def by_group(results: Results) -> dict[str, Results]:
    """Results by data set and model, which share figures and tables."""
    groups: dict[str, Results] = {}
    for run, result in results:
        groups.setdefault(f"{run.dataset}, {run.model}", []).append((run, result))
    return groups


def read_history(folder: Path) -> list[Row]:
    """What a training logged, a row a step; empty where it logged nothing."""
    path = folder / "history.jsonl"
    if not path.is_file():
        return []
    lines = json_lines(path, "train again to write it", may_be_empty=True)
    return [row for _, row in lines]


def read_runtimes(folder: Path) -> list[Row]:
    """Minutes, CPU minutes and memory (GB) of every job that Snakemake measured."""
    rows = []
    for path in sorted(folder.rglob("*.tsv")):
        text = read_text(path, "run the workflow again")
        for row in csv.DictReader(io.StringIO(text, newline=""), delimiter="\t"):
            rows.append(
                {
                    "job": str(path.relative_to(folder).with_suffix("")).replace("/", " "),
                    "minutes": round(float(row["s"]) / 60, 1),
                    "CPU minutes": _number(row["cpu_time"], 60),
                    "memory, GB": _number(row["max_rss"], 1000),
                }
            )
    return rows


def flat(values: Mapping[str, Any], above: str = "") -> Row:
    """Nested numbers as one row: {"a": {"b": 1}} -> {"a b": 1}."""
    row: Row = {}
    for name, value in values.items():
        label = f"{above} {name}".strip().replace("_", " ")
        row |= flat(value, label) if isinstance(value, Mapping) else {label: value}
    return row


def _number(text: str, unit: float) -> float | None:
    """A measure that Snakemake leaves out for jobs of less than a moment."""
    try:
        return round(float(text) / unit, 1)
    except ValueError:
        return None
