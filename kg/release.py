"""The published release of MEG to the two tables and stores."""

from pathlib import Path

from pydantic import Field

from kg.config import ReleaseConfig
from kg.graph.tables import write_parents
from kg.shared.command import Command, main
from kg.sources.release import concept_parents, embedding_files, read_release
from kg.sources.summary import file_rows, write_graph
from kg.store import matching_rows, write_store
from kg.store.published import read_published


class ReleaseCommand(Command):
    """The published release to the tables, parents, summary.json, <name>/embeddings.h5 (stores)."""

    folder: Path = Field(description="the umls/ folder of the release")
    out: Path = Field(description="folder for the tables, the summary and the stores")
    config: ReleaseConfig = Field(
        ReleaseConfig(), description="section `release` of the configuration"
    )

    def run(self) -> None:
        """Read the folder, write tables, parents, summary and stores."""
        paths = embedding_files(self.folder, self.config.embeddings)
        embeddings = {name: read_published(path) for name, path in paths.items()}
        concepts, triplets, files = read_release(self.folder, embeddings)
        parents, rows = concept_parents(self.folder / "vocab_parents.jsonl", concepts, triplets)
        write_parents(self.out / "parents.parquet", parents)
        files |= rows
        for name, (cuis, vectors) in embeddings.items():
            found = matching_rows(cuis, concepts["cui"])
            path = self.out / name / "embeddings.h5"
            write_store(path, concepts["cui"], vectors[found], {"release": name}, {})
            unused = {"no concept": len(cuis) - concepts.height}
            files[paths[name].name] = file_rows(len(cuis), unused, concepts.height)
        write_graph(self.out, concepts, triplets, files)


if __name__ == "__main__":
    main(ReleaseCommand)
