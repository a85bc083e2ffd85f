"""Ontologies in OBO or OBO Graphs JSON to the tables of a graph; see `kg.sources.ontology`.

python -m kg.obo --folder data/mondo --out results/mondo
"""

from pathlib import Path

from pydantic import Field

from kg.shared.command import Command, main
from kg.sources.ontology import read_ontologies
from kg.sources.settings import OBOConfig
from kg.sources.summary import write_graph


class OBOCommand(Command):
    """Ontologies to concepts.parquet, triplets.parquet and summary.json."""

    folder: Path = Field(description="folder with the ontologies")
    out: Path = Field(description="folder for the two tables and the summary")
    config: OBOConfig = Field(OBOConfig(), description="section `obo` of the configuration")

    def run(self) -> None:
        """Read the ontologies, write the tables with their summary."""
        concepts, triplets, files = read_ontologies(self.folder, self.config)
        write_graph(self.out, concepts, triplets, files)


if __name__ == "__main__":
    main(OBOCommand)
