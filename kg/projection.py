"""Maps of vectors that are fitted once and kept with an encoder, so that new concepts take them."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from kg.errors import InputError

__all__ = ["Principal", "Standard", "unit_half"]


@dataclass(frozen=True)
class Standard:
    """Columns of mean 0 and standard deviation 1; a constant column becomes 0.

    Shapes: `mean`, `deviation` (feature,).
    """

    mean: Tensor
    deviation: Tensor

    @classmethod
    def of(cls, features: Tensor) -> "Standard":
        """Fitted to `features` (node, feature)."""
        return cls(features.mean(0), features.std(0))

    def __call__(self, features: Tensor) -> Tensor:
        """Standardised features, (node, feature)."""
        centred = features - self.mean
        return torch.where(self.deviation > 1e-4, centred / self.deviation.clamp(min=1e-4), 0)


@dataclass(frozen=True)
class Principal:
    """Coordinates on the first principal axes.

    Shapes: `mean` (feature,), `axes` (feature, dim).
    """

    mean: Tensor
    axes: Tensor

    @classmethod
    def of(cls, vectors: Tensor, dim: int) -> "Principal":
        """Fitted to `vectors` (node, feature); raises InputError when they have fewer columns."""
        if dim > vectors.shape[1]:
            raise InputError(
                f"vectors of {vectors.shape[1]} numbers cannot be compressed to {dim}; "
                "lower dim or take wider features"
            )
        mean = vectors.mean(0)
        centred = vectors - mean
        axes = torch.linalg.eigh((centred.T @ centred).double()).eigenvectors
        first = axes.float().flip(1)[:, :dim]
        # The sign of an eigenvector is arbitrary: fix it, so that equal inputs give equal stores.
        return cls(mean, first * torch.where(first.sum(0) < 0, -1, 1))

    def __call__(self, vectors: Tensor) -> Tensor:
        """Coordinates, (node, dim)."""
        return (vectors - self.mean) @ self.axes


def unit_half(*parts: Tensor) -> Tensor:
    """The parts (node, width) side by side, each of length 1, as a store keeps them: float16."""
    return torch.cat([F.normalize(part, dim=1) for part in parts], dim=1).half()
