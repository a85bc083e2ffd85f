"""A graph in the KGX format of the Biolink model to the two tables; see `kg.sources.kgx`.

python -m kg.kgx --folder data/monarch --out results/monarch
"""

from pathlib import Path

from pydantic import Field

from kg.shared.command import Command, main
from kg.sources.kgx import read_kgx
from kg.sources.settings import KGXConfig
from kg.sources.summary import write_graph


class KGXCommand(Command):
    """A graph in the KGX format to concepts.parquet, triplets.parquet and summary.json."""

    folder: Path = Field(description="folder with the nodes and edges, TSV or JSON lines")
    out: Path = Field(description="folder for the two tables and the summary")
    config: KGXConfig = Field(KGXConfig(), description="section `kgx` of the configuration")

    def run(self) -> None:
        """Read the nodes and edges, write the tables with their summary."""
        concepts, triplets, files = read_kgx(self.folder, self.config)
        write_graph(self.out, concepts, triplets, files)


if __name__ == "__main__":
    main(KGXCommand)
