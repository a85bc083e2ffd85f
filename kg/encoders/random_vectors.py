"""Random vectors: the control, which knows which concept is meant and nothing else."""

from pathlib import Path

import torch

from kg.config import RandomConfig
from kg.encoders.encoded import Encoded, by_translation
from kg.graph.projection import unit_half
from kg.graph.rows import Matrix
from kg.graph.split import Split

__all__ = ["encode"]


def encode(split: Split, raw: Matrix, config: RandomConfig, checkpoint: Path) -> Encoded:
    """Normally distributed vectors, at length 1."""
    seeded = torch.Generator().manual_seed(config.seed)
    vectors = torch.randn(split.train.nodes, config.dim, generator=seeded)
    return by_translation(unit_half(vectors), split.train)
