"""ComplEx (Trouillon et al. 2016) with reciprocal relations: who is linked to whom by what.

Vectors are read as complex numbers, first half real, second half imaginary. The score of
(h, r, t) is Re <h * r, conj(t)>, a dot product of a query (h * r) and t; tails are asked for by r,
heads by its reciprocal r + R, so every question has the same form.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["ComplEx", "Decoder", "sampled_softmax_loss"]

SCALE = 16.0
"""Initial range of the scores of unit vectors: enough for a peaked softmax over 1e5 nodes."""


class Decoder(nn.Module):
    """Scores of links: dot products of `forward(keys, relation)`, the queries, and keys."""

    def keys(self, vectors: Tensor) -> Tensor:
        """What queries are made of and multiplied with, (node, key), of vectors (node, width)."""
        raise NotImplementedError


class ComplEx(Decoder):
    """Queries of (node, relation); the nodes' vectors are brought to length 1."""

    def __init__(self, relations: int, width: int) -> None:
        """`relations`: reciprocal ones included."""
        super().__init__()
        phase = 0.1 * torch.randn(relations, width // 2)
        self.relation = nn.Parameter(torch.cat([torch.ones_like(phase), phase], dim=1))
        self.prior = nn.Parameter(torch.zeros(relations, width))
        self.scale = nn.Parameter(torch.full((relations, 1), SCALE).log())

    def forward(self, vectors: Tensor, relation: Tensor) -> Tensor:
        """Queries (query, width), for unit vectors (query, width) and relations (query,)."""
        real, imaginary = vectors.chunk(2, dim=-1)
        r_real, r_imaginary = self.relation[relation].chunk(2, dim=-1)
        turned = torch.cat(
            [
                real * r_real - imaginary * r_imaginary,
                real * r_imaginary + imaginary * r_real,
            ],
            dim=-1,
        )
        return self.scale[relation].exp() * (turned + self.prior[relation])

    def keys(self, vectors: Tensor) -> Tensor:
        """What queries are multiplied with: the vectors at length 1."""
        return F.normalize(vectors, dim=-1)


def sampled_softmax_loss(
    queries: Tensor,
    answers: Tensor,
    *,
    of_query: Tensor,
    negatives: Tensor,
    weight: Tensor,
    known: tuple[Tensor, Tensor],
) -> Tensor:
    """Cross-entropy of the answers against all nodes, estimated from some negatives.

    Shapes: `queries` (query, width); `answers` (answer, width) with `of_query` (answer,) the row
    of its query; `negatives` (negative, width) and `weight` (negative,), for how many nodes each
    stands (the logQ correction); `known` two (pair,), rows of queries and of negatives that are
    true answers to them.
    """
    scores = (queries @ negatives.T).float() + weight.log()
    scores[known] = -torch.inf
    others = torch.logsumexp(scores, dim=1)
    right = (queries[of_query] * answers).sum(1).float()
    return (torch.logaddexp(right, others[of_query]) - right).mean()
