"""Predictions to the result: how often right, how sure that is, and against which other runs.

A question without a readable answer is wrong and stays in the denominator. Comparisons are
paired: the same questions answered by both runs, or the comparison is refused.

`meg.score run` makes a result; `meg.score compare a.json b.json` compares any results.
What each number is: docs/evaluation.md.
"""

import logging
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field
from pydantic_settings import CliApp, CliPositionalArg, CliSubCommand

from kg.artefact import file_digest, write_json
from kg.command import Command, main
from kg.errors import InputError
from meg import statistics
from meg.comparison import compare
from meg.prediction import Prediction, read_answers, read_predictions, read_run
from meg.summary import table

__all__ = ["score"]

log = logging.getLogger(__name__)


def score(predictions: list[Prediction], labels: Sequence[str] = ()) -> dict[str, Any]:
    """Accuracy with its interval, over all questions and by kind, and what else describes a run.

    `labels`, where every question has the same options, names the classes and adds `macro_f1`,
    which means nothing for positions. `calibration_error` needs every question's scores.
    """
    right = _right(predictions)
    answers = [row.answer for row in predictions]
    chosen = [row.prediction for row in predictions]
    kinds = _by_kind(predictions)
    result = _accuracy(right) | {
        "unanswered": chosen.count(None),
        "shortened": sum(row.shortened for row in predictions),
        "concepts": float(np.mean([len(row.concepts) for row in predictions])),
        "kinds": {kind: _accuracy(_right(rows)) for kind, rows in kinds.items()},
        "macro_accuracy": float(np.mean([_right(rows).mean() for rows in kinds.values()])),
        "classes": _classes(answers, chosen, labels),
        "position_bias": statistics.position_bias(answers, chosen),
    }
    if labels:
        result["macro_f1"] = statistics.macro_f1(answers, chosen)
    scores = [row.scores for row in predictions if row.scores is not None]
    if len(scores) == len(predictions):
        result["calibration_error"] = statistics.calibration_error(scores, right)
    return result


def _right(predictions: list[Prediction]) -> np.ndarray:
    return np.array([row.right for row in predictions])


def _accuracy(right: np.ndarray) -> dict[str, Any]:
    return {
        "accuracy": float(right.mean()),
        "wilson": statistics.wilson(right),
        "n": len(right),
        "right": int(right.sum()),
    }


def _by_kind(predictions: list[Prediction]) -> dict[str, list[Prediction]]:
    kinds = sorted({row.kind for row in predictions})
    return {kind: [row for row in predictions if row.kind == kind] for kind in kinds}


def _classes(
    answers: list[int], chosen: list[int | None], labels: Sequence[str]
) -> dict[str, dict[str, float]]:
    """Option -> how often it is right, chosen, both, and the F1 of these."""
    right, given = Counter(answers), Counter(chosen)
    both = Counter(answer for answer, one in zip(answers, chosen, strict=True) if answer == one)
    most = max([*right, *(option for option in given if option is not None), len(labels) - 1])
    return {
        labels[option] if labels else str(option): {
            "right": right[option],
            "chosen": given[option],
            "both": both[option],
            "f1": statistics.f1(right[option], given[option], both[option]),
        }
        for option in range(most + 1)
    }


class Run(Command):
    """Predictions to a result JSON, compared with other runs on the same questions."""

    predictions: Path = Field(description="JSON lines that meg.predict wrote")
    out: Path = Field(description="the result JSON")
    against: dict[str, Path] = Field(
        {}, description="other runs' predictions: name=path, as often as there are runs"
    )
    about: dict[str, str] = Field(
        {}, description="what the run is, copied: dataset=..., variant=..., seed=..."
    )

    def run(self) -> None:
        """Read the predictions, score and compare them, write the result."""
        predictions = read_predictions(self.predictions)
        run = read_run(self.predictions)
        result = {"about": self.about, **score(predictions, run.get("labels", ()))}
        result["comparisons"] = {
            name: compare(predictions, read_predictions(path), name)
            | {"run": read_run(path), "digest": file_digest(path)}
            for name, path in self.against.items()
        }
        result["run"] = run
        result["predictions"] = str(self.predictions)
        result["digest"] = file_digest(self.predictions)
        write_json(self.out, result)
        log.info("%d of %d right: %s", result["right"], result["n"], self.out)


class Compare(Command):
    """The first run against the others: a table on the terminal, and a JSON if wanted."""

    runs: CliPositionalArg[list[Path]] = Field(
        description="two or more results (.json) of meg.score, or predictions (.jsonl)"
    )
    out: Path | None = Field(None, description="the comparisons as JSON too")

    def run(self) -> None:
        """Compare question by question; write the table to the standard output."""
        if len(set(self.runs)) < max(2, len(self.runs)):
            raise InputError(
                f"expected two or more different runs, got {list(map(str, self.runs))}"
            )
        short = len({path.stem for path in self.runs}) == len(self.runs)
        (name, first), *others = (
            (path.stem if short else str(path), read_answers(path)) for path in self.runs
        )
        comparisons = {other: compare(first, rows, other) for other, rows in others}
        result = score(first) | {"comparisons": comparisons}
        lines = table({name: result}) + [
            f"right only in {name}: {one['gained']}, only in {other}: {one['lost']}"
            for other, one in comparisons.items()
        ]
        sys.stdout.write("\n".join(lines) + "\n")
        if self.out is not None:
            write_json(self.out, {"runs": self.runs} | result)


class ScoreCommand(Command):
    """Score a run's answers, or compare runs."""

    run_: CliSubCommand[Run] = Field(alias="run")
    compare: CliSubCommand[Compare]

    def run(self) -> None:
        """Run the chosen subcommand."""
        CliApp.run_subcommand(self)


if __name__ == "__main__":
    main(ScoreCommand)
