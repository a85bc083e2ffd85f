"""DRAGON's graph to the two tables."""

from pathlib import Path

from pydantic import Field

from kg.shared.command import Command, main
from kg.sources.dragon import read_dragon
from kg.sources.summary import write_graph


class DragonCommand(Command):
    """DRAGON's graph to concepts.parquet, triplets.parquet and summary.json."""

    folder: Path = Field(description="folder with concepts.txt, concept_names.txt, umls.csv")
    out: Path = Field(description="folder for the two tables and the summary")

    def run(self) -> None:
        """Read the folder, write the tables with their summary."""
        concepts, triplets, files = read_dragon(self.folder)
        write_graph(self.out, concepts, triplets, files)


if __name__ == "__main__":
    main(DragonCommand)
