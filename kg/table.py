"""Facts in tables (TSV, CSV, parquet) to the two tables of a graph; see `kg.sources.table`.

python -m kg.table --folder data/primekg --config '{"layout": "primekg"}' --out results/primekg
"""

from pathlib import Path

from pydantic import Field

from kg.shared.command import Command, main
from kg.sources.settings import TableConfig
from kg.sources.summary import write_graph
from kg.sources.table import read_graph


class TableCommand(Command):
    """Facts in tables to concepts.parquet, triplets.parquet and summary.json."""

    folder: Path = Field(description="folder with the tables")
    out: Path = Field(description="folder for the two tables and the summary")
    config: TableConfig = Field(description="section `table` of the configuration")

    def run(self) -> None:
        """Read the folder, write the tables with their summary."""
        concepts, triplets, files = read_graph(self.folder, self.config)
        write_graph(self.out, concepts, triplets, files)


if __name__ == "__main__":
    main(TableCommand)
