"""Result files to a table on the terminal: each run and what it is compared with.

Of meg.score, or of meg.seeds: there means over trainings, with their standard deviations.
"""

import sys
from pathlib import Path
from typing import Any

from pydantic import Field
from pydantic_settings import CliPositionalArg

from kg.shared.artefact import read_json
from kg.shared.command import Command, main
from kg.shared.errors import InputError
from meg.evaluation.table import kinds_table, table


class SummaryCommand(Command):
    """Results as a table on the terminal."""

    results: CliPositionalArg[list[Path]] = Field(
        description="result files of meg.score or meg.seeds"
    )
    kinds: bool = Field(False, description="by kind of question too")

    def run(self) -> None:
        """Read the results and write their table to the standard output."""
        found = {path.stem: _read(path) for path in self.results}
        lines = table(found)
        if self.kinds and (kinds := kinds_table(found)):
            lines += ["", *kinds]
        sys.stdout.write("\n".join(lines) + "\n")


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise InputError(f"{path} does not exist; make it with meg.score")
    result = read_json(path)
    if not isinstance(result, dict) or not {"comparisons", "differences"} & result.keys():
        raise InputError(
            f"{path} is no result; name a file that `meg.score run` or meg.seeds wrote"
        )
    return result


if __name__ == "__main__":
    main(SummaryCommand)
