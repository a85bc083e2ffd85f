"""`meg.json` of a checkpoint: what it was made from and with."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Literal

from pydantic import Field

from kg.shared.artefact import read_json
from kg.shared.command import Section
from kg.shared.errors import InputError
from kg.store import EmbeddingStore
from meg.config import ModelConfig, PromptConfig
from meg.model.origin import identify, path_from, path_to
from meg.model.trained import Trained

__all__ = ["INSIDE", "Record", "check_store", "read_record", "recorded"]


INSIDE = "meg"
"""Folder of an export with what transformers does not read (`meg.model.export`)."""


class Record(Section):
    """`meg.json`: what a checkpoint is."""

    format: Literal["meg-checkpoint-1"] = "meg-checkpoint-1"
    model: ModelConfig
    kge: int = Field(description="width of the concept vectors")
    store: str = Field(description="EmbeddingStore.space of its vectors; empty: none were used")
    prompt: PromptConfig | None = Field(
        None, description="of Phase II, or of the published Phase I; null after ours"
    )
    trained: Trained | None = Field(None, description="on which questions; null after Phase I")
    merged: bool = Field(
        False, description="the base LLM's weights hold the adapters, and adapter/ is not there"
    )
    base_digest: str | None = Field(
        None, description="of the base LLM's weights and tokenizer (meg.origin); null: not known"
    )
    base_revision: str | None = Field(None, description="of the base LLM, if it is of the hub")
    store_path: str | None = Field(None, description="where the store was; a hint for meg.ask")
    linker_path: str | None = Field(None, description="where the linker was; a hint for meg.ask")

    @property
    def linker_folder(self) -> str | None:
        """Where the linker is looked for: beside the store <graph>/<encoder>/embeddings.h5, where
        the workflow keeps it, unless the record says otherwise."""
        beside = self.store_path and str(Path(self.store_path).parent.parent / "linker")
        return self.linker_path or beside


def read_record(path: Path) -> Record:
    """`meg.json` of a checkpoint folder."""
    if not (path / "meg.json").is_file():
        raise InputError(f"{path} is not a MEG checkpoint (no meg.json); run meg.align first")
    try:
        record = Record.model_validate(read_json(path / "meg.json"))
    except ValueError as error:
        first = str(error).replace("\n", " ")
        raise InputError(
            f"{path / 'meg.json'} is no record of a checkpoint of this format: {first:.300}; "
            "copy the folder whole, or train again"
        ) from error
    return _with_paths(record, partial(path_to, path))


def recorded(path: Path, record: Record) -> Record:
    """The record as it is written in the folder `path`: with the base LLM's digest, if it can be
    told, and relative paths as they are seen from there."""
    if record.base_digest is None:
        digest, revision = identify(record.model)
        record = record.model_copy(update={"base_digest": digest, "base_revision": revision})
    return _with_paths(record, partial(path_from, path))


def check_store(record: Record, store: EmbeddingStore | None) -> None:
    """Raise InputError unless the store's vectors are of the space that the model learned."""
    if store is None:
        if record.store:
            raise InputError("the checkpoint takes concept vectors; give --store, those it had")
    elif not record.store:
        raise InputError("the checkpoint is a text-only one and takes no vectors; omit --store")
    elif record.store != store.space or record.kge != store.dim:
        raise InputError(
            f"the checkpoint was trained with other vectors than {store.path} has ({store.dim} "
            f"wide, expected {record.kge}; or of another encoder); give --store the one it was "
            "trained with, or that one extended by kg.embed, or train again"
        )


def _with_paths(record: Record, change: Callable[[str | None], str | None]) -> Record:
    model = record.model.model_copy(update={"base": change(record.model.base)})
    paths = {name: change(getattr(record, name)) for name in ("store_path", "linker_path")}
    return record.model_copy(update={"model": model, **paths})
