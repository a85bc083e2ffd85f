"""Rows that the processes of a training hold, put together in each of them, with their gradient."""

import torch
import torch.distributed as dist
from torch import Tensor

__all__ = ["gathered"]


def gathered(rows: Tensor) -> Tensor:
    """The rows (row, ...) of all processes in their order; of one process its own.

    Each process computes the same loss of them and sends a gradient back through its own rows
    only. The trainer then takes the mean over the processes, so it is scaled by their number here:
    the step is that of one process with all rows.
    """
    if not dist.is_initialized() or (processes := dist.get_world_size()) == 1:
        return rows
    counts = [torch.zeros(1, dtype=torch.long, device=rows.device) for _ in range(processes)]
    dist.all_gather(counts, torch.tensor([len(rows)], device=rows.device))
    lengths = [int(count) for count in counts]
    padded = rows.new_zeros(max(lengths), *rows.shape[1:])
    padded[: len(rows)] = rows.detach()
    parts = [torch.empty_like(padded) for _ in lengths]
    dist.all_gather(parts, padded)
    parts = [part[:length] for part, length in zip(parts, lengths, strict=True)]
    if rows.requires_grad:
        scaled = processes * rows
        parts[dist.get_rank()] = scaled - (scaled - rows).detach()
    return torch.cat(parts)
