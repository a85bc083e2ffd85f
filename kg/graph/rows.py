"""Matrices that are not to be copied: rows are made when they are read, a chunk of them at a time.

The text features of all of UMLS are 6 GB in the file, and 12 more for each float32 copy.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

__all__ = ["Matrix", "Rows", "chunks", "stored_rows", "whole"]

ROWS = 8192
"""Made at once: 25 MB of 768 float32 numbers."""


@dataclass(frozen=True)
class Rows:
    """A matrix of which only the rows asked for are in memory; indexed as a tensor is.

    `make`: numbers of the rows (row,) int64 to their values (row, width) float32.
    """

    shape: tuple[int, ...]
    make: Callable[[Tensor], Tensor]

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Tensor) -> Tensor:
        return self.make(rows)


Matrix = Tensor | Rows


def stored_rows(array: np.ndarray) -> Rows:
    """Rows of an array that may be mapped, such as a store's; they are copies."""
    return Rows(array.shape, lambda rows: torch.from_numpy(array[rows.numpy()]).float())


def chunks(matrix: Matrix) -> Iterator[Tensor]:
    """All rows in their order, (row, width) float32, some at a time."""
    for rows in torch.arange(len(matrix)).split(ROWS):
        yield matrix[rows].float()


def whole(matrix: Matrix, dtype: torch.dtype = torch.float32) -> Tensor:
    """A tensor of all rows, beside which no second one is made on the way."""
    out = torch.empty(tuple(matrix.shape), dtype=dtype)
    for place, part in zip(out.split(ROWS), chunks(matrix), strict=True):
        place.copy_(part)
    return out
