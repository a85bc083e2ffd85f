"""A UMLS Metathesaurus to the two tables, checked line by line.

python -m kg.umls --folder 2026AA/META --out results/umls
UMLS_API_KEY=... python -m kg.umls --download --release 2026AA --folder data/umls/META --out ...
"""

from pathlib import Path

from pydantic import Field
from pydantic_settings import CliImplicitFlag

from kg.config import UMLSConfig
from kg.shared.command import Command, main
from kg.shared.errors import InputError
from kg.sources.summary import write_graph
from kg.sources.umls.download import API_KEY, download_umls
from kg.sources.umls.graph import build


class UMLSCommand(Command):
    """A UMLS Metathesaurus to concepts.parquet, triplets.parquet and summary.json."""

    folder: Path = Field(
        Path("data/umls/META"), description="folder with MRCONSO, MRREL, ... (.RRF or .RRF.gz)"
    )
    out: Path | None = Field(None, description="folder for the two tables and the summary")
    config: UMLSConfig = Field(UMLSConfig(), description="section `umls` of the configuration")
    download: CliImplicitFlag[bool] = Field(
        False, description=f"get the files of --release first, with the key in {API_KEY}"
    )
    release: str = Field("", description="the release to download, such as 2026AA")

    def run(self) -> None:
        """Download the files where asked; read the folder, write the tables and their summary."""
        if self.download:
            download_umls(self.release, self.folder)
        if self.out is None:
            if not self.download:
                raise InputError("--out is missing: the folder for the tables")
            return
        concepts, triplets, files = build(self.folder, self.config)
        write_graph(self.out, concepts, triplets, files)


if __name__ == "__main__":
    main(UMLSCommand)
