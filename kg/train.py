"""Train a graph encoder and store one vector a concept, with its measures beside.

Everything is made from the training part of the graph's triplets (and the concepts' text features);
the held-out ones judge it. What the encoders are: docs/explanation/encoders.md. On several GPUs:
`torchrun --nproc-per-node 4 -m kg.train ...`.
"""

import json
import logging
from pathlib import Path
from typing import Any

import polars as pl
import torch
from pydantic import Field
from safetensors.torch import save_file

from kg.config import EncoderConfig, SAGEConfig
from kg.encoders.encode import encode
from kg.encoders.encoded import Encoded
from kg.evaluation.measures import measure
from kg.evaluation.metrics import EncoderMetrics
from kg.evaluation.probe import only_types
from kg.graph.projection import Standard
from kg.graph.rows import Matrix, chunks, stored_rows
from kg.graph.split import build_graph, split_graph
from kg.graph.tables import read_concepts, read_triplets
from kg.shared import processes
from kg.shared.artefact import replacing
from kg.shared.command import Command, main
from kg.shared.documents import write_document
from kg.shared.errors import InputError
from kg.store import EmbeddingStore, write_store

VALIDATION, TEST = 0.01, 0.03
"""Parts of the node pairs that are held out; the fewer, the more facts the vectors can tell."""

log = logging.getLogger(__name__)


class TrainCommand(Command):
    """Graph and text features to the store, its measures, the history and the weights."""

    concepts: Path = Field(description="concepts.parquet")
    triplets: Path = Field(description="triplets.parquet")
    features: Path = Field(description="features.h5 of the same concepts")
    out: Path = Field(description="folder for the store, the measures and the weights")
    state: Path = Field(description="folder for the checkpoint; emptied on success")
    config: EncoderConfig = Field(
        SAGEConfig(), description="section `encoder` of the configuration"
    )

    def run(self) -> None:
        """Split, train, measure, write."""
        concepts = read_concepts(self.concepts)
        store = EmbeddingStore(self.features)
        store.check(concepts)
        graph = build_graph(concepts, read_triplets(self.triplets))
        seeded = torch.Generator().manual_seed(self.config.seed)
        split = split_graph(graph, VALIDATION, TEST, seeded)
        features = stored_rows(store.embedding)
        _check_finite(features, concepts["cui"], self.features)
        checkpoint = self.state / "checkpoint.pt"
        if processes.device().type == "cuda":
            torch.set_float32_matmul_precision("high")  # TF32
        with processes.together():
            encoded = encode(split, features, self.config, checkpoint)
        if not processes.is_first():
            return
        seeded = torch.Generator().manual_seed(self.config.seed)
        metrics = measure(
            split,
            encoded.score,
            stored=encoded.vectors,
            text=Standard.of(features).rows(features),
            types=only_types(concepts),
            generator=seeded,
            spectral=encoded.spectral,
        )
        measures = EncoderMetrics.model_validate({"config": self.config.model_dump()} | metrics)
        self._save(concepts["cui"], encoded, measures, store.attributes["config"])
        checkpoint.unlink(missing_ok=True)

    def _save(
        self, cuis: pl.Series, encoded: Encoded, metrics: EncoderMetrics, features: dict[str, Any]
    ) -> None:
        config = metrics.config
        test = metrics.link_prediction["test"].model_dump(by_alias=True)
        self.out.mkdir(parents=True, exist_ok=True)
        with replacing(self.out / "encoder.safetensors") as temporary:
            # One entry: safetensors writes several in any order.
            made = json.dumps({"config": config, "features": features})
            save_file(encoded.weights, temporary, {"made": made})
        with replacing(self.out / "history.jsonl") as temporary:
            temporary.write_text("".join(json.dumps(row) + "\n" for row in encoded.history))
        write_document(self.out / "metrics.json", metrics)
        write_store(self.out / "embeddings.h5", cuis, encoded.vectors.numpy(), config, test)
        log.info("%s: test MRR %.4f, Hits@10 %.4f", self.out, test["mrr"], test["hits@10"])


def _check_finite(features: Matrix, cuis: pl.Series, path: Path) -> None:
    finite = torch.cat([part.isfinite().all(1) for part in chunks(features)])
    broken = (~finite).nonzero().flatten().tolist()
    if broken:
        raise InputError(
            f"{path}: the features of {len(broken)} of {len(cuis)} concepts are not finite "
            f"(first {cuis[broken[0]]}); make them again with kg.features"
        )


if __name__ == "__main__":
    main(TrainCommand)
