"""Vectors of new concepts by a trained encoder, from their names' text features alone.

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
import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from kg.config import SAGE, EncoderConfig
from kg.encoders.inputs import NodeFeatures
from kg.encoders.link_prediction import LinkPredictor, all_vectors
from kg.graph.projection import Principal, Standard, unit_half
from kg.graph.rows import chunks, stored_rows
from kg.graph.sampling import build_adjacency
from kg.graph.split import Graph
from kg.shared.command import Command, main
from kg.shared.errors import InputError
from kg.shared.model_files import read_tensors
from kg.shared.precision import as_computed
from kg.store import EmbeddingStore, write_store

__all__ = ["embed"]

log = logging.getLogger(__name__)


def embed(raw: Tensor, weights: dict[str, Tensor], config: EncoderConfig) -> Tensor:
    """Vectors (concept, dim) float16 of text features `raw` (concept, feature).

    `weights`: as `kg.encoders.encode` made them, and not changed. Raises InputError for an encoder
    that does not read text.
    """
    if config.encoder not in (*SAGE, "text"):
        raise InputError(
            f"the encoder {config.encoder} cannot embed concepts that it was not trained on; "
            f"take one of text, {', '.join(SAGE)}"
        )
    weights = dict(weights)
    standard = Standard(weights.pop("features.mean"), weights.pop("features.deviation"))
    output = Principal(weights.pop("output.mean"), weights.pop("output.axes"))
    if raw.shape[1] != len(standard.mean):
        raise InputError(
            f"features of {raw.shape[1]} numbers, expected {len(standard.mean)}; "
            "make them by kg.features with the same text encoder"
        )
    text = standard(raw)
    if config.encoder == "text":
        return unit_half(output(text))
    config = as_computed(config)
    relations = len(weights["decoder.relation"]) // 2
    # Nobody hears what the new nodes send: of their messages only the width matters.
    sent = weights["encoder.layers.0.conv.lin_l.weight"].shape[1]
    features = NodeFeatures(text, torch.zeros(len(raw), sent))
    model = LinkPredictor(features, relations, config)
    model.load_state_dict(weights)
    nothing = Graph(len(raw), ("",) * relations, torch.zeros(0, 3, dtype=torch.long))
    features = features.bfloat16() if config.bf16 else features
    keys = all_vectors(model, features, build_adjacency(nothing), config.bf16)
    # Without parents a concept's lineage is its own text.
    described = torch.cat([keys, config.lineage * F.normalize(text, dim=1)], dim=1)
    return torch.cat(
        [unit_half(output(described)), torch.zeros(len(raw), config.spectral_dim)], 1
    ).half()


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
        config = EncoderConfig.model_validate(made["config"])
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


if __name__ == "__main__":
    main(EmbedCommand)
