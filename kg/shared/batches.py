"""Batches of like length under a budget of tokens, padding included."""

from collections.abc import Sequence

import numpy as np

__all__ = ["budgeted"]


def budgeted(
    lengths: Sequence[int] | np.ndarray, budget: int, most: int | None = None
) -> list[np.ndarray]:
    """Rows in batches, shortest first, at most `most` in one.

    Rows x longest of a batch is at most `budget` tokens; a longer row has a batch of its own.
    """
    sizes = np.asarray(lengths)
    order = np.argsort(sizes, kind="stable")
    batches, start = [], 0
    while start < len(order):
        ahead = sizes[order[start : start + min(budget, most or budget)]]
        padded = ahead * np.arange(1, len(ahead) + 1)
        count = max(1, int(np.searchsorted(padded, budget, side="right")))
        batches.append(order[start : start + count])
        start += count
    return batches
