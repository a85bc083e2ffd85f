"""Predictions to the result: how often right, how sure, and against which other runs.

A question without a readable answer is wrong and stays in the denominator. Comparisons are
paired: the same questions answered by both runs, or the comparison is refused.

`meg.score run` makes a result; `meg.score compare a.json b.json` compares any results.
What each number is: docs/reference/results.md.
"""

import logging
import sys
from pathlib import Path

from pydantic import Field
from pydantic_settings import CliApp, CliPositionalArg, CliSubCommand

from kg.shared.artefact import file_digest
from kg.shared.command import Command, main
from kg.shared.documents import write_document
from kg.shared.errors import InputError
from meg.evaluation.paired import compare
from meg.evaluation.prediction import Prediction, read_predictions, read_run
from meg.evaluation.result import About, Compared, Comparison, Result, read_answers, read_inputs
from meg.evaluation.scoring import score
from meg.evaluation.table import table

log = logging.getLogger(__name__)


class Run(Command):
    """Predictions to a result JSON, compared with other runs on the same questions."""

    predictions: Path = Field(description="JSON lines that meg.predict wrote")
    out: Path = Field(description="the result JSON")
    against: dict[str, Path] = Field(
        {}, description="other runs' predictions: name=path, as often as there are runs"
    )
    inputs: dict[str, Path] = Field(
        {}, description="inputs.json of the graph and of the questions: name=path, as often"
    )
    about: dict[str, str] = Field(
        {}, description="what the run is, copied: dataset=..., variant=..., seed=..."
    )

    def run(self) -> None:
        """Read the predictions, score and compare them, write the result."""
        predictions = read_predictions(self.predictions)
        run = read_run(self.predictions)
        result = Result(
            **dict(score(predictions, run.labels)),
            about=About.model_validate(self.about),
            comparisons={
                name: self._compared(predictions, name, path) for name, path in self.against.items()
            },
            run=run,
            predictions=self.predictions,
            digest=file_digest(self.predictions),
            inputs={name: read_inputs(path) for name, path in self.inputs.items()},
        )
        write_document(self.out, result)
        log.info("%d of %d right: %s", result.right, result.n, self.out)

    def _compared(self, predictions: list[Prediction], name: str, other: Path) -> Comparison:
        difference = compare(predictions, read_predictions(other), name)
        return Comparison(**dict(difference), run=read_run(other), digest=file_digest(other))


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
        result = Compared(**dict(score(first)), runs=self.runs, comparisons=comparisons)
        lines = table({name: result}) + [
            f"right only in {name}: {one.gained}, only in {other}: {one.lost}"
            for other, one in comparisons.items()
        ]
        sys.stdout.write("\n".join(lines) + "\n")
        if self.out is not None:
            write_document(self.out, result)


class ScoreCommand(Command):
    """Score a run's answers, or compare runs."""

    run_: CliSubCommand[Run] = Field(alias="run")
    compare: CliSubCommand[Compare]

    def run(self) -> None:
        """Run the chosen subcommand."""
        CliApp.run_subcommand(self)


if __name__ == "__main__":
    main(ScoreCommand)
