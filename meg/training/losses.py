"""The losses of both phases, as functions of tensors.

Phase I (paper, embedding transfer): cross-entropy of the name + a * NT-Xent(g(x), name)
+ (1 - a) * (1 - cos(f(g(x)), x)), a learned in (0, 1).
"""

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["back_mapping", "listwise", "nt_xent"]


def nt_xent(
    left: Tensor, right: Tensor, groups: Tensor, temperature: float, one_way: bool = False
) -> Tensor:
    """Normalised temperature-scaled cross-entropy between paired rows (pair, hidden).

    Row i of `left` belongs to row i of `right`; all other rows of either side are negatives,
    except those of the same concept (equal `groups` (pair,)). Mean over both directions, or
    `one_way`: which of `right` belongs to each of `left`.
    Source: SimCLR, arXiv 2002.05709, equation 1.
    """
    similarity = functional.normalize(left, dim=-1) @ functional.normalize(right, dim=-1).T
    same = groups[:, None] == groups[None, :]
    same.fill_diagonal_(False)
    logits = (similarity / temperature).masked_fill(same, float("-inf"))
    target = torch.arange(len(left), device=left.device)
    forth = functional.cross_entropy(logits, target)
    return forth if one_way else (forth + functional.cross_entropy(logits.T, target)) / 2


def back_mapping(back: Tensor, concepts: Tensor) -> Tensor:
    """Mean of 1 - cos(f(g(x)), x) over concepts (concept, kge)."""
    return (1 - functional.cosine_similarity(back, concepts, dim=-1)).mean()


def listwise(scores: Tensor, question: Tensor, gold: Tensor, scale: float) -> Tensor:
    """Cross-entropy (question,) of a softmax over each question's option scores (option,).

    `question` (option,), ascending, says whose option it is; `gold` (question,) is the position
    of the right option within its question; `scale` sharpens the softmax.
    """
    scaled = scale * scores
    highest = scaled.new_full((len(gold),), float("-inf")).scatter_reduce(
        0, question, scaled.detach(), "amax"
    )
    mass = scaled.new_zeros(len(gold)).index_add(0, question, (scaled - highest[question]).exp())
    first = torch.searchsorted(question, torch.arange(len(gold), device=question.device))
    return highest + mass.log() - scaled[first + gold]
