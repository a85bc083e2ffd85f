"""The names' features alone, compressed to the stored width: what a graph encoder has to beat."""

from pathlib import Path

from torch import Tensor

from kg.config import TextConfig
from kg.encoders.encoded import Encoded, by_translation, projections, projections_of
from kg.graph.projection import Principal, Standard, unit_half
from kg.graph.rows import Matrix
from kg.graph.split import Split

__all__ = ["embed", "encode"]


def encode(split: Split, raw: Matrix, config: TextConfig, checkpoint: Path) -> Encoded:
    """Principal components of the features, at length 1; nothing is trained."""
    standard = Standard.of(raw)
    text = standard.rows(raw)
    output = Principal.of(text, config.dim)
    return by_translation(unit_half(output(text)), split.train, projections(standard, output))


def embed(raw: Tensor, weights: dict[str, Tensor], config: TextConfig) -> Tensor:
    """Vectors (concept, dim) float16 of the features (concept, feature) of new concepts."""
    standard, output = projections_of(weights)
    return unit_half(output(standard(raw)))
