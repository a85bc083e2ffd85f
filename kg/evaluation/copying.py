"""Answers copied from the nearest nodes: what is stated of them is likely here as well.

A vector holds what its node is like, not each of its links; the graph does. So the graph is asked
again: of node h's nearest nodes, how many have the link (h, r, t), each counted by its similarity.
Heads are asked for by the same table, from the nodes nearest to each candidate.
"""

import numpy as np
import torch
from scipy.sparse import csr_array
from torch import Tensor
from torch.nn import functional as F

from kg.evaluation.ranking import Answers, Scorer, filtered_ranks, questions_of, rank_metrics
from kg.graph.split import Graph
from kg.shared.precision import fast_bfloat16

__all__ = ["combined_scorer", "copy_scorer"]

NEIGHBOURS = 30
"""Nearest nodes whose links are copied; more did not help."""

SHARPNESS = 10
"""Power of the cosine by which a near node counts: one that says the same outweighs many."""

WEIGHTS = (0.0, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
"""Of the copied answers' logarithm beside the decoder's score; the validation triplets decide."""

FLOOR = 1e-2
"""Added to a copied share before its logarithm: of an answer that no near node has."""


def copy_scorer(vectors: Tensor, train: Graph) -> Scorer:
    """Shares of the nodes nearest by cosine, of vectors (node, dim), that have the answer."""
    similar = _similar(vectors)
    head, relation, tail = train.triplets.numpy().T
    links = [
        csr_array((np.ones(mask.sum(), np.float32), (head[mask], tail[mask])), similar.shape)
        for mask in (relation == code for code in range(len(train.relations)))
    ]
    tails = [csr_array(similar @ link) for link in links]
    copied = tails + [csr_array(share.T) for share in tails]

    def score(node: Tensor, relation: Tensor) -> Tensor:
        shares = np.zeros((len(node), train.nodes), np.float32)
        for code in relation.unique().tolist():
            rows = (relation == code).nonzero().squeeze(1).numpy()
            shares[rows] = copied[code][node.numpy()[rows]].toarray()
        return torch.from_numpy(shares)

    return score


def combined_scorer(
    score: Scorer, copied: Scorer, validation: Graph, known: Answers, watched: int = 1000
) -> Scorer:
    """The decoder's score plus the logarithm of the copied shares, by the weight with the best MRR.

    That is sought on about `watched` of the validation triplets.
    """
    stride = max(1, len(validation) // watched)
    questions = questions_of(validation.part(torch.arange(0, len(validation), stride)))
    scorers = [_sum(score, copied, weight) for weight in WEIGHTS]
    return max(scorers, key=lambda one: rank_metrics(filtered_ranks(questions, one, known))["mrr"])


def _sum(score: Scorer, copied: Scorer, weight: float) -> Scorer:
    return lambda node, relation: (
        score(node, relation) + weight * (copied(node, relation) + FLOOR).log()
    )


def _similar(vectors: Tensor, chunk: int = 2048) -> csr_array:
    """Weights of each node's nearest others, each row of sum 1 or 0, (node, node)."""
    unit = F.normalize(vectors.float(), dim=-1)
    unit = unit.bfloat16() if fast_bfloat16() else unit
    count = min(NEIGHBOURS, len(unit) - 1)
    weights, columns = [], []
    for start, part in zip(range(0, len(unit), chunk), unit.split(chunk), strict=True):
        cosine = part @ unit.T
        own = torch.arange(len(part))
        cosine[own, start + own] = -1
        weight, near = cosine.topk(count, dim=1, sorted=False)
        weights.append(weight.float().clamp(min=0) ** SHARPNESS)
        columns.append(near)
    weight = torch.cat(weights)
    weight = weight / weight.sum(1, keepdim=True).clamp(min=1e-9)
    ends = np.arange(0, weight.numel() + 1, count)
    place = torch.cat(columns).flatten().numpy().astype(np.int32)
    return csr_array((weight.flatten().numpy(), place, ends), (len(unit), len(unit)))
