"""A trained model as an ordinary folder of transformers, with mapper and vectors.

checkpoint -> folder: the base LLM with the adapters in its weights, tokenizer, chat template.
"""

import logging
from pathlib import Path

from pydantic import Field

from kg.shared.command import Command, main
from meg.inference.pretrained import MEG
from meg.model.export import check_export, export

log = logging.getLogger(__name__)


class ExportCommand(Command):
    """Write a checkpoint as a folder that every tool of transformers' files reads."""

    checkpoint: str = Field(description="folder of meg.finetune or meg.align, or a hub id")
    base: str | None = Field(None, description="where the base LLM is, if not as recorded")
    store: Path | None = Field(None, description="embeddings.h5, if not as recorded")
    linker: Path | None = Field(None, description="folder of kg.link, if not beside the store")
    out: Path = Field(description="folder to write; an older export is replaced")

    def run(self) -> None:
        """Load the model, merge its adapters, write the folder."""
        check_export(self.out)
        model = MEG.from_pretrained(self.checkpoint, self.base, self.store, self.linker)
        store, record = model.lookup().store, model.record
        export(model.network, record, store, record.linker_folder, self.out)
        log.info(
            "%s: %s in %s, vectors of %d concepts",
            self.out,
            record.model.base,
            model.network.dtype,
            0 if store is None else len(store),
        )


if __name__ == "__main__":
    main(ExportCommand)
