"""Training-free vectors, and answers to link-prediction questions: what training has to beat."""

import torch
from torch import Tensor
from torch.nn import functional as F

from kg.evaluation.ranking import Scorer
from kg.graph.rows import Rows
from kg.graph.sampling import build_adjacency
from kg.graph.segments import mean_of_rows
from kg.graph.split import Graph

__all__ = [
    "cosine_scorer",
    "popularity_scorer",
    "smoothed",
    "translation_scorer",
]


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
    # A row a relation, made when it is asked for: of all at once a UMLS would take 50 GB.
    answers = answer[torch.argsort(asked, stable=True)]
    parts = answers.split(torch.bincount(asked, minlength=2 * count).tolist())

    def score(node: Tensor, relation: Tensor) -> Tensor:
        codes, place = torch.unique(relation, return_inverse=True)
        rows = [torch.bincount(parts[code], minlength=train.nodes) for code in codes.tolist()]
        return torch.stack(rows).float()[place]

    return score


def translation_scorer(vectors: Tensor, train: Graph) -> Scorer:
    """The answer is where the relation leads: the node most similar to vector + mean difference.

    So vectors that were not made for it predict links (Portisch et al. 2022, for RDF2Vec): the
    mean of tail - head over the relation's training triplets stands for it, its negative for the
    way back. Vectors at length 1; the node itself is excepted.
    """
    unit = F.normalize(vectors.float(), dim=-1)
    head, relation, tail = train.triplets.T
    total = torch.zeros(len(train.relations), unit.shape[1])
    total.index_add_(0, relation, unit[tail] - unit[head])
    count = torch.bincount(relation, minlength=len(train.relations)).clamp(min=1)
    leads = total / count.unsqueeze(1)
    leads = torch.cat([leads, -leads])

    def score(node: Tensor, relation: Tensor) -> Tensor:
        scores = (unit[node] + leads[relation]) @ unit.T
        return scores.scatter_(1, node.unsqueeze(1), -torch.inf)

    return score


def smoothed(text: Tensor, train: Graph) -> Rows:
    """Untrained messages: own text | mean of neighbours | mean of their means, (node, 3 feature).

    Each part has length 1, or 0 for a node without edges.
    """
    adjacency = build_adjacency(train)
    parts = [text]
    for _ in range(2):
        parts.append(mean_of_rows(parts[-1], adjacency.start, adjacency.source))
    return Rows(
        (len(text), 3 * text.shape[1]),
        lambda rows: torch.cat([F.normalize(part[rows], dim=-1) for part in parts], dim=1),
    )
