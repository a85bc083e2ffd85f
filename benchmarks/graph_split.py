"""The split that `kg.train` makes of a graph's folder, for it and its peers to be judged alike."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from kg.config import EncoderSection
from kg.encoders.encode import encode
from kg.evaluation.ranking import Answers, Scorer, filtered_ranks, questions_of, rank_metrics
from kg.graph.split import Split, build_graph, split_graph
from kg.graph.tables import read_concepts, read_triplets
from kg.store import EmbeddingStore
from kg.train import TEST, VALIDATION

__all__ = ["Judge", "read_split", "trained"]


def read_split(folder: Path) -> tuple[Split, Tensor]:
    """Split and raw text features (node, feature) of a folder as `results/kg/hpo`."""
    graph = build_graph(
        read_concepts(folder / "concepts.parquet"), read_triplets(folder / "triplets.parquet")
    )
    split = split_graph(graph, VALIDATION, TEST, torch.Generator().manual_seed(0))
    features = EmbeddingStore(folder / "features.h5").embedding[:].astype("float32")
    return split, torch.from_numpy(features)


def trained(split: Split, features: Tensor, config: EncoderSection) -> Scorer:
    """What our encoder scores by; its checkpoint is its own, so that two can run side by side."""
    with tempfile.TemporaryDirectory() as folder:
        return encode(split, features, config, Path(folder) / "checkpoint.pt").score


@dataclass(frozen=True)
class Judge:
    """Filtered ranks of at most `most` test questions, the same for everyone."""

    split: Split
    most: int = 4000

    def __call__(self, score: Scorer) -> str:
        """`MRR | Hits@10`, as cells of a table."""
        split = self.split
        known = Answers([split.train, split.validation, split.test])
        questions = questions_of(split.test)
        order = torch.randperm(len(questions), generator=torch.Generator().manual_seed(0))
        with torch.inference_mode():
            ranks = filtered_ranks(questions[order[: self.most]], score, known)
        metrics = rank_metrics(ranks)
        return f"{metrics['mrr']:.3f} | {metrics['hits@10']:.3f}"
