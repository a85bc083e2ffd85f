"""Results of one run with several seeds to their mean and standard deviation.

The interval in a result is about the questions; this is about the trainings: how much accuracy,
and its lead over the compared runs of the same seed, change when all is trained again.
"""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field
from pydantic_settings import CliPositionalArg

from kg.shared.artefact import file_digest, read_json, write_json
from kg.shared.command import Command, main
from kg.shared.errors import InputError

__all__ = ["over_seeds"]

SAME = ("dataset", "model", "variant")
"""What the runs have in common."""

log = logging.getLogger(__name__)


def over_seeds(results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Mean, sample standard deviation and the values by seed, of what the results measure.

    Raises InputError unless these are two or more seeds of one run on the same questions.
    """
    abouts = [result["about"] for result in results]
    if any({*SAME, "seed"} - set(about) for about in abouts):
        raise InputError(
            f"a result does not say its {', '.join(SAME)} and seed; make it by meg.score with "
            "--about, as the workflow does"
        )
    runs = {tuple(about[name] for name in SAME) for about in abouts}
    files = {result["run"]["digests"]["questions"] for result in results}
    seeds = [int(about["seed"]) for about in abouts]
    if len(results) < 2 or len(runs) > 1 or len(files) > 1 or len(set(seeds)) < len(seeds):
        raise InputError(
            f"expected results of one run with different seeds on one file of questions, got "
            f"{len(files)} files of questions and {[tuple(about.values()) for about in abouts]}"
        )
    compared = [result["comparisons"] for result in results]
    common = [name for name in compared[0] if all(name in one for one in compared)]
    return {
        "about": {name: abouts[0][name] for name in SAME},
        "seeds": seeds,
        "n": results[0]["n"],
        "accuracy": _spread([result["accuracy"] for result in results]),
        "macro_accuracy": _spread([result["macro_accuracy"] for result in results]),
        "differences": {
            name: _spread([one[name]["difference"] for one in compared]) for name in common
        },
    }


def _spread(values: list[float]) -> dict[str, Any]:
    deviation = float(np.std(values, ddof=1))
    return {"mean": float(np.mean(values)), "standard_deviation": deviation, "values": values}


class SeedsCommand(Command):
    """Results of meg.score, one a seed, to one JSON."""

    results: CliPositionalArg[list[Path]] = Field(description="results of one run, one a seed")
    out: Path = Field(description="the JSON to write")

    def run(self) -> None:
        """Read the results, write their mean and standard deviation."""
        for path in self.results:
            if not path.is_file():
                raise InputError(f"{path} does not exist; make it with meg.score")
        summary = over_seeds([read_json(path) for path in self.results])
        summary["results"] = {str(path): file_digest(path) for path in self.results}
        write_json(self.out, summary)
        accuracy = summary["accuracy"]
        mean, deviation = accuracy["mean"], accuracy["standard_deviation"]
        log.info("%.4f ± %.4f over %d seeds", mean, deviation, len(self.results))


if __name__ == "__main__":
    main(SeedsCommand)
