"""Results of one run with several seeds to their mean and standard deviation.

The interval in a result is about the questions; this is about the trainings: how much accuracy,
and its lead over the compared runs of the same seed, change when all is trained again.
"""

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from pydantic import Field
from pydantic_settings import CliPositionalArg

from kg.shared.artefact import file_digest
from kg.shared.command import Command, main
from kg.shared.documents import read_document, write_document
from kg.shared.errors import InputError
from meg.evaluation.result import About, Result, SeedsResult, Spread

__all__ = ["over_seeds"]

SAME = ("dataset", "model", "variant")
"""What the runs have in common."""

log = logging.getLogger(__name__)


def over_seeds(results: Sequence[Result]) -> SeedsResult:
    """Mean, sample standard deviation and the values by seed, of what the results measure.

    Raises InputError unless these are two or more seeds of one run on the same questions.
    """
    runs = {_run(result) for result in results}
    seeds = [result.about.seed for result in results if result.about.seed is not None]
    digests = [result.run.digests for result in results if result.run.digests is not None]
    if any(None in run for run in runs) or not len(seeds) == len(digests) == len(results):
        raise InputError(
            f"a result does not say its {', '.join(SAME)} and seed, or not on which questions; "
            "make it by meg.predict, and meg.score with --about, as the workflow does"
        )
    files = {one.questions for one in digests}
    if len(results) < 2 or len(runs) > 1 or len(files) > 1 or len(set(seeds)) < len(seeds):
        raise InputError(
            "expected results of one run with different seeds on one file of questions, got "
            f"{len(files)} files of questions and "
            f"{[(*_run(result), result.about.seed) for result in results]}"
        )
    compared = [result.comparisons for result in results]
    common = [name for name in compared[0] if all(name in one for one in compared)]
    return SeedsResult(
        about=About(**dict(zip(SAME, _run(results[0]), strict=True))),
        seeds=seeds,
        n=results[0].n,
        accuracy=_spread([result.accuracy for result in results]),
        macro_accuracy=_spread([result.macro_accuracy for result in results]),
        differences={name: _spread([one[name].difference for one in compared]) for name in common},
    )


def _run(result: Result) -> tuple[str | None, ...]:
    return tuple(getattr(result.about, name) for name in SAME)


def _spread(values: list[float]) -> Spread:
    deviation = float(np.std(values, ddof=1))
    return Spread(mean=float(np.mean(values)), standard_deviation=deviation, values=values)


class SeedsCommand(Command):
    """Results of meg.score, one a seed, to one JSON."""

    results: CliPositionalArg[list[Path]] = Field(description="results of one run, one a seed")
    out: Path = Field(description="the JSON to write")

    def run(self) -> None:
        """Read the results, write their mean and standard deviation."""
        found = over_seeds([read_document(path, Result) for path in self.results])
        digests = {str(path): file_digest(path) for path in self.results}
        write_document(self.out, found.model_copy(update={"results": digests}))
        mean, deviation = found.accuracy.mean, found.accuracy.standard_deviation
        log.info("%.4f ± %.4f over %d seeds", mean, deviation, len(self.results))


if __name__ == "__main__":
    main(SeedsCommand)
