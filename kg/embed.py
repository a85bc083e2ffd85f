"""Vectors of new concepts by a trained encoder, from their names alone.

A new concept has no edges, so a SAGE encoder sees its own features only, as it does of a concept
without edges in training; the spectral part of its vector is 0. Look-up encoders, RDF2Vec and
random vectors know nothing of concepts that they were not trained on.

    python -m kg.embed --encoder results/kg/hpo/edgegraphsage --features new.h5 --out store.h5
"""

import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from pydantic import Field

from kg.config import ENCODERS, EncoderSection
from kg.encoders.encode import embed
from kg.graph.rows import chunks, stored_rows
from kg.shared.command import Command, main
from kg.shared.errors import InputError
from kg.shared.model_files import read_tensors
from kg.store import EmbeddingStore, write_store

log = logging.getLogger(__name__)


class EmbedCommand(Command):
    """A store with all concepts of the encoder's own and the new ones."""

    encoder: Path = Field(description="folder that kg.train wrote")
    features: Path = Field(description="features.h5 of the new concepts, by the same kg.features")
    out: Path = Field(description="store to write")

    def run(self) -> None:
        """Embed, put into the order of the cuis, write."""
        new, old = EmbeddingStore(self.features), EmbeddingStore(self.encoder / "embeddings.h5")
        both = sorted(set(new.cuis.tolist()) & set(old.cuis.tolist()))
        if both:
            raise InputError(
                f"{len(both)} of {len(new)} concepts of {self.features} have a vector already "
                f"(first {both[0].decode()}); leave them out"
            )
        path = self.encoder / "encoder.safetensors"
        weights, notes = read_tensors(path, "give a folder that kg.train wrote")
        made = json.loads(notes.get("made", "{}"))
        if not made:
            raise InputError(f"{path} is of another version; make it again with kg.train")
        config = _section(made["config"])
        self._compare(made["features"], new.attributes["config"])
        parts = chunks(stored_rows(new.embedding))
        vectors = [embed(raw, weights, config).numpy() for raw in parts]
        cuis = [cui.decode() for cui in (*old.cuis.tolist(), *new.cuis.tolist())]
        order = np.argsort(np.array([cui.encode() for cui in cuis]), kind="stable")
        write_store(
            self.out,
            pl.Series("cui", cuis)[order],
            np.concatenate([old.embedding, *vectors])[order],
            old.attributes["config"],
            old.attributes["metrics"],
            old.space,
        )
        log.info("%s: %d concepts, of them %d new", self.out, len(cuis), len(new))

    def _compare(self, known: dict[str, Any], new: dict[str, Any]) -> None:
        """Raise InputError unless `kg.features` made both alike; models may lie elsewhere now."""
        for key in ("pooling", "lowercase", "max_tokens"):
            if known.get(key) != new.get(key):
                raise InputError(
                    f"{self.features}: {key} is {new.get(key)}, the encoder's features had "
                    f"{known.get(key)}; make them by kg.features with the same configuration"
                )
        if known.get("model") != new.get("model"):
            log.warning(
                "%s: text encoder %s, the encoder's features are by %s; vectors are right only if "
                "both are the same model",
                self.features,
                new.get("model"),
                known.get("model"),
            )


def _section(values: dict[str, Any]) -> EncoderSection:
    """The encoder's section; a file may also name, at their defaults, options of other encoders."""
    kind = ENCODERS[values["encoder"]]
    return kind.model_validate({k: v for k, v in values.items() if k in kind.model_fields})


if __name__ == "__main__":
    main(EmbedCommand)
