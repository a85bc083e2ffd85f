"""What an encoder makes of a graph, and the parts of it that several encoders have."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from kg.evaluation.baselines import translation_scorer
from kg.evaluation.ranking import Scorer
from kg.graph.projection import Principal, Standard
from kg.graph.split import Graph

__all__ = ["Encoded", "by_translation", "projections", "projections_of"]


@dataclass(frozen=True)
class Encoded:
    """What an encoder makes of a graph.

    Shapes: `vectors` (node, dim) float16, what is stored.
    """

    vectors: Tensor
    score: Scorer
    weights: dict[str, Tensor] = field(default_factory=dict)
    """All that new vectors are computed by; empty where only the stored ones are."""
    history: list[dict[str, Any]] = field(default_factory=list)
    spectral: int = 0
    """How many of a vector's last numbers are the spectral embedding's."""


def by_translation(
    stored: Tensor, train: Graph, weights: dict[str, Tensor] | None = None
) -> Encoded:
    """Vectors (node, dim) float16 that no link prediction trained."""
    return Encoded(stored, translation_scorer(stored, train), weights or {})


def projections(features: Standard, output: Principal) -> dict[str, Tensor]:
    """Weights of the two fixed maps, of the text features and to the stored vector."""
    parts = {"features": features, "output": output}
    return {
        f"{name}.{key}": value.contiguous()
        for name, part in parts.items()
        for key, value in vars(part).items()
    }


def projections_of(weights: Mapping[str, Tensor]) -> tuple[Standard, Principal]:
    """The two maps that `projections` wrote."""
    return (
        Standard(weights["features.mean"], weights["features.deviation"]),
        Principal(weights["output.mean"], weights["output.axes"]),
    )
