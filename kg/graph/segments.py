"""Sums and means over the items of each owner, which lie in a row."""

import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = ["mean_of_rows", "ranges", "starts", "sum_of_rows"]

PIECE = 512
"""Terms that one thread of a GPU adds up."""


def ranges(counts: Tensor) -> tuple[Tensor, Tensor]:
    """Owner and position of each item where owner i has counts[i] items; two (item,) int64."""
    owner = torch.repeat_interleave(torch.arange(len(counts), device=counts.device), counts)
    before = counts.cumsum(0) - counts
    return owner, torch.arange(len(owner), device=counts.device) - before[owner]


def starts(counts: Tensor) -> Tensor:
    """Where the items of each owner start, and the last ones end, (owner + 1,) int64."""
    return torch.nn.functional.pad(counts.cumsum(0), (1, 0))


def mean_of_rows(x: Tensor, start: Tensor, source: Tensor) -> Tensor:
    """Mean of x[source[start[i]:start[i + 1]]] for each i, (row, channel); 0 of none."""
    return _MeanOfRows.apply(x, start, source)


def sum_of_rows(x: Tensor, start: Tensor, source: Tensor, in_pieces: bool) -> Tensor:
    """Sum of x[source[start[i]:start[i + 1]]] for each i, (row, channel).

    `in_pieces`: of `PIECE` terms, then of their sums. A GPU's thread goes through a row's terms one
    after another, and a frequent relation has hundreds of thousands.
    """
    if not in_pieces:
        return F.embedding_bag(source, x, start[:-1], mode="sum")
    even = torch.arange(0, len(source), PIECE, device=start.device)
    cuts = torch.cat([start[:-1], even]).unique()
    pieces = F.embedding_bag(source, x, cuts, mode="sum")
    number = torch.arange(len(cuts), device=start.device)
    return F.embedding_bag(number, pieces, torch.searchsorted(cuts, start[:-1]), mode="sum")


class _MeanOfRows(torch.autograd.Function):
    """Both directions are an embedding bag: the gradient is one over the transposed edges."""

    @staticmethod
    def forward(ctx, x: Tensor, start: Tensor, source: Tensor) -> Tensor:
        ctx.save_for_backward(start, source)
        ctx.sources = len(x)
        return F.embedding_bag(source, x, start[:-1], mode="mean")

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None, None]:
        start, source = ctx.saved_tensors
        count = start.diff()
        shared = gradient / count.clamp(min=1).unsqueeze(1).to(gradient.dtype)
        owner = torch.repeat_interleave(torch.arange(len(count), device=start.device), count)
        order = torch.argsort(source, stable=True)
        back = starts(torch.bincount(source, minlength=ctx.sources))
        return sum_of_rows(shared, back, owner[order], gradient.is_cuda), None, None
