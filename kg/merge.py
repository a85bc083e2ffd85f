"""Several graphs, each in a folder that a source command wrote, to one (`kg.sources.merge`).

python -m kg.merge --folder data/graphs --config '{"graphs": ["hpo", "mondo"]}' --out results/both
"""

from pathlib import Path

from pydantic import Field

from kg.shared.command import Command, main
from kg.sources.merge import merged
from kg.sources.settings import MergeConfig
from kg.sources.summary import write_graph


class MergeCommand(Command):
    """Several graphs to concepts.parquet, triplets.parquet and summary.json."""

    folder: Path = Field(description="folder with the graphs' folders, and the table of pairs")
    out: Path = Field(description="folder for the two tables and the summary")
    config: MergeConfig = Field(description="section `merge` of the configuration")

    def run(self) -> None:
        """Read the graphs, write their union with its summary."""
        concepts, triplets, files = merged(self.folder, self.config)
        write_graph(self.out, concepts, triplets, files)


if __name__ == "__main__":
    main(MergeCommand)
