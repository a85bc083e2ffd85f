"""Training-free answers to link-prediction questions: what a trained encoder has to beat."""

import torch
from torch import Tensor
from torch.nn import functional as F

from kg.graph import Graph
from kg.ranking import Answers, Scorer

__all__ = ["cosine_scorer", "neighbour_scorer", "popularity_scorer"]

NEIGHBOURS = 30
"""Nearest names whose links are copied; more did not help."""


def cosine_scorer(vectors: Tensor) -> Scorer:
    """The answer is the node most similar to the one asked about, itself excepted."""
    unit = F.normalize(vectors.float(), dim=-1)

    def score(node: Tensor, relation: Tensor) -> Tensor:
        scores = unit[node] @ unit.T
        return scores.scatter_(1, node.unsqueeze(1), -torch.inf)

    return score


def popularity_scorer(train: Graph) -> Scorer:
    """The answer is the most frequent one of the relation."""
    count = len(train.relations)
    head, relation, tail = train.triplets.T
    asked, answer = torch.cat([relation, relation + count]), torch.cat([tail, head])
    frequency = torch.bincount(asked * train.nodes + answer, minlength=2 * count * train.nodes)
    table = frequency.view(2 * count, train.nodes).float()
    return lambda node, relation: table[relation]


def neighbour_scorer(vectors: Tensor, train: Graph) -> Scorer:
    """The answers that the nearest nodes have in training, weighted by similarity."""
    unit = F.normalize(vectors.float(), dim=-1)
    known = Answers([train])

    def score(node: Tensor, relation: Tensor) -> Tensor:
        similar = (unit[node] @ unit.T).scatter_(1, node.unsqueeze(1), -torch.inf)
        weight, near = similar.topk(min(NEIGHBOURS, train.nodes - 1), dim=1)
        row, answer = known.of(near.flatten(), relation.repeat_interleave(near.shape[1]))
        scores = torch.zeros(len(node), train.nodes)
        place = (row // near.shape[1], answer)
        return scores.index_put_(place, weight.flatten()[row].clamp(min=0), accumulate=True)

    return score
