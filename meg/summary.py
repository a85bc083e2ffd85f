"""Result files to a table on the terminal: each run and what it is compared with.

Of meg.score, or of meg.seeds: there means over trainings, with their standard deviations.
"""

import sys
from pathlib import Path

from pydantic import Field
from pydantic_settings import CliPositionalArg

from kg.shared.command import Command, main
from kg.shared.documents import read_document
from meg.evaluation.table import FILES, kinds_table, table


class SummaryCommand(Command):
    """Results as a table on the terminal."""

    results: CliPositionalArg[list[Path]] = Field(
        description="result files of meg.score or meg.seeds"
    )
    kinds: bool = Field(False, description="by kind of question too")

    def run(self) -> None:
        """Read the results and write their table to the standard output."""
        found = {path.stem: read_document(path, *FILES) for path in self.results}
        lines = table(found)
        if self.kinds and (kinds := kinds_table(found)):
            lines += ["", *kinds]
        sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(SummaryCommand)
