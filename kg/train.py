"""Train a graph encoder by link prediction and store one vector a concept.

A stored vector has two parts, each of length 1: the encoder's vector (it carries the name, by its
skip from the text features, and what follows from the neighbours) and the spectral embedding of
the training graph (which facts are stated). Both come from the training triplets alone.
"""

import json
import logging
from pathlib import Path
from typing import Any

import polars as pl
import torch
from pydantic import Field
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional as F

from kg.artefact import replacing, write_json
from kg.command import Command, main
from kg.config import EncoderConfig
from kg.graph import Graph, build_graph, split_graph
from kg.link_prediction import LinkPredictor, all_vectors
from kg.measures import measure
from kg.sampling import build_adjacency
from kg.spectral import spectral_embedding
from kg.store import EmbeddingStore, write_store
from kg.tables import read_concepts, read_triplets
from kg.training import train_encoder

__all__ = ["standardised", "stored_vectors"]

VALIDATION, TEST = 0.01, 0.03
"""Parts of the node pairs that are held out; the fewer, the more facts the vectors can tell."""

log = logging.getLogger(__name__)


def stored_vectors(encoded: Tensor, spectral: Tensor, dim: int) -> Tensor:
    """Vectors (node, dim) float16 of two parts, each of length 1; the encoder's is compressed.

    Shapes: `encoded` (node, width), `spectral` (node, spectral_dim); the first principal
    components of `encoded` fill what `spectral` leaves of `dim`.
    """
    centred = encoded - encoded.mean(0)
    axes = torch.linalg.eigh((centred.T @ centred).double()).eigenvectors
    first = axes.float().flip(1)[:, : dim - spectral.shape[1]]
    # The sign of an eigenvector is arbitrary: fix it, so that equal inputs give equal stores.
    first = first * torch.where(first.sum(0) < 0, -1, 1)
    parts = [F.normalize(centred @ first, dim=1), F.normalize(spectral, dim=1)]
    return torch.cat(parts, dim=1).half()


def device() -> torch.device:
    """A GPU if there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def standardised(features: Tensor) -> Tensor:
    """Columns of mean 0 and standard deviation 1; a constant column becomes 0."""
    deviation = features.std(0)
    centred = features - features.mean(0)
    return torch.where(deviation > 1e-4, centred / deviation.clamp(min=1e-4), 0)


class TrainCommand(Command):
    """Graph and text features to the store, its measures, the history and the weights."""

    concepts: Path = Field(description="concepts.parquet")
    triplets: Path = Field(description="triplets.parquet")
    features: Path = Field(description="features.h5 of the same concepts")
    out: Path = Field(description="folder for the store, the measures and the weights")
    state: Path = Field(description="folder for the checkpoint; emptied on success")
    config: EncoderConfig = Field(
        EncoderConfig(), description="section `encoder` of the configuration"
    )

    def run(self) -> None:
        """Split, train, measure, write."""
        concepts = read_concepts(self.concepts)
        store = EmbeddingStore(self.features)
        store.check(concepts)
        graph = build_graph(concepts, read_triplets(self.triplets))
        split = split_graph(
            graph, VALIDATION, TEST, torch.Generator().manual_seed(self.config.seed)
        )
        text = standardised(torch.from_numpy(store.embedding[:].astype("float32")))
        features = text.bfloat16() if self.config.bf16 else text
        checkpoint = self.state / "checkpoint.pt"
        model, history = train_encoder(split, features.to(device()), self.config, checkpoint)
        encoded = self._encode(model, features, split.train)
        seeded = torch.Generator().manual_seed(self.config.seed)
        spectral = spectral_embedding(split.train, self.config.spectral_dim, seeded)
        vectors = stored_vectors(encoded, spectral, self.config.dim)
        metrics = measure(
            split, model.cpu().decoder, encoded=encoded, stored=vectors, text=text, generator=seeded
        )
        self._save(concepts["cui"], vectors, model, metrics, history)
        checkpoint.unlink()

    def _encode(self, model: LinkPredictor, features: Tensor, train: Graph) -> Tensor:
        adjacency = build_adjacency(train.to(device()))
        return all_vectors(model.encoder, features.to(device()), adjacency, self.config.bf16).cpu()

    def _save(
        self,
        cuis: pl.Series,
        vectors: Tensor,
        model: LinkPredictor,
        metrics: dict[str, Any],
        history: list[dict[str, Any]],
    ) -> None:
        config = self.config.model_dump()
        test = metrics["link_prediction"]["test"]
        self.out.mkdir(parents=True, exist_ok=True)
        with replacing(self.out / "encoder.safetensors") as temporary:
            save_file(model.state_dict(), temporary, {"config": json.dumps(config)})
        with replacing(self.out / "history.jsonl") as temporary:
            temporary.write_text("".join(json.dumps(row) + "\n" for row in history))
        write_json(self.out / "metrics.json", metrics)
        write_store(self.out / "embeddings.h5", cuis, vectors.numpy(), config, test)
        log.info("%s: test MRR %.4f, Hits@10 %.4f", self.out, test["mrr"], test["hits@10"])


if __name__ == "__main__":
    main(TrainCommand)
