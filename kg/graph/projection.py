"""Maps of vectors that are fitted once and kept with an encoder, so that new concepts take them."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from kg.graph.rows import Matrix, Rows, chunks, whole
from kg.shared.errors import InputError

__all__ = ["Principal", "Standard", "unit_half"]


@dataclass(frozen=True)
class Standard:
    """Columns of mean 0 and standard deviation 1; a constant column becomes 0.

    Shapes: `mean`, `deviation` (feature,).
    """

    mean: Tensor
    deviation: Tensor

    @classmethod
    def of(cls, features: Matrix) -> "Standard":
        """Fitted to `features` (node, feature)."""
        mean = _mean(features)
        squares = _sum(features, lambda part: (part - mean).square().sum(0))
        return cls(mean, (squares / (len(features) - 1)).sqrt().float())

    def __call__(self, features: Tensor) -> Tensor:
        """Standardised features, (node, feature)."""
        centred = features - self.mean
        return torch.where(self.deviation > 1e-4, centred / self.deviation.clamp(min=1e-4), 0)

    def rows(self, features: Matrix) -> Rows:
        """The same, of each row when it is read."""
        return Rows(features.shape, lambda rows: self(features[rows].float()))


@dataclass(frozen=True)
class Principal:
    """Coordinates on the first principal axes.

    Shapes: `mean` (feature,), `axes` (feature, dim).
    """

    mean: Tensor
    axes: Tensor

    @classmethod
    def of(cls, vectors: Matrix, dim: int) -> "Principal":
        """Fitted to `vectors` (node, feature); raises InputError when they have fewer columns."""
        if dim > vectors.shape[1]:
            raise InputError(
                f"vectors of {vectors.shape[1]} numbers cannot be compressed to {dim}; "
                "lower dim or take wider features"
            )
        mean = _mean(vectors)
        axes = torch.linalg.eigh(_sum(vectors, lambda part: _products(part - mean))).eigenvectors
        first = axes.float().flip(1)[:, :dim]
        # The sign of an eigenvector is arbitrary: fix it, so that equal inputs give equal stores.
        return cls(mean, first * torch.where(first.sum(0) < 0, -1, 1))

    def __call__(self, vectors: Matrix) -> Tensor:
        """Coordinates, (node, dim)."""
        shape = len(vectors), self.axes.shape[1]
        return whole(Rows(shape, lambda rows: (vectors[rows].float() - self.mean) @ self.axes))


def unit_half(*parts: Tensor) -> Tensor:
    """The parts (node, width) side by side, each of length 1, as a store keeps them: float16."""
    return torch.cat([F.normalize(part, dim=1).half() for part in parts], dim=1)


def _mean(vectors: Matrix) -> Tensor:
    return (_sum(vectors, lambda part: part.sum(0)) / len(vectors)).float()


def _products(vectors: Tensor) -> Tensor:
    return vectors.T @ vectors


def _sum(vectors: Matrix, of: Callable[[Tensor], Tensor]) -> Tensor:
    """Sum of what `of` makes of each chunk of the rows, float64."""
    total = torch.zeros((), dtype=torch.float64)
    for part in chunks(vectors):
        total = total + of(part).double()
    return total
