"""Filtered ranks over all candidates, exact, and the measures made of them.

The rank is the realistic one (PyKEEN's `evaluation/ranks.py`): the mean of the best and the worst
place among equal scores. Other true answers to the same question are taken out beforehand.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from kg.graph.segments import ranges
from kg.graph.split import Graph
from kg.shared.errors import InputError

__all__ = ["Answers", "Scorer", "filtered_ranks", "questions_of", "rank_metrics"]

HITS = (1, 3, 10)

Scorer = Callable[[Tensor, Tensor], Tensor]
"""Nodes (query,), relations (query,) -> scores (query, node) of every node as the answer."""


class Answers:
    """True answers of the questions (node, relation): those of all the graphs given."""

    def __init__(self, graphs: list[Graph]) -> None:
        self.relations = 2 * len(graphs[0].relations)
        questions = torch.cat([questions_of(graph) for graph in graphs])
        key = self._key(questions[:, 0], questions[:, 1])
        order = torch.argsort(key, stable=True)
        self.key, self.answer = key[order], questions[order, 2]

    def of(self, node: Tensor, relation: Tensor) -> tuple[Tensor, Tensor]:
        """Row of the question and the answer, for every true answer; two (item,) int64."""
        key = self._key(node, relation)
        first = torch.searchsorted(self.key, key)
        count = torch.searchsorted(self.key, key, right=True) - first
        owner, position = ranges(count)
        return owner, self.answer[first[owner] + position]

    def _key(self, node: Tensor, relation: Tensor) -> Tensor:
        return node * self.relations + relation


def questions_of(graph: Graph) -> Tensor:
    """Both questions of every triplet, (2 x triplet, 3): node, relation, answer."""
    head, relation, tail = graph.triplets.T
    inverse = relation + len(graph.relations)
    asked = torch.stack([head, relation, tail], dim=1)
    return torch.cat([asked, torch.stack([tail, inverse, head], dim=1)])


def filtered_ranks(questions: Tensor, score: Scorer, known: Answers, chunk: int = 128) -> Tensor:
    """Rank of each question's answer (question,) float32, 1 is best; scores in chunks of rows."""
    ranks = []
    for part in questions.split(chunk):
        node, relation, answer = part.T
        scores = score(node, relation)
        right = scores.gather(1, answer.unsqueeze(1))
        if not right.isfinite().all() or scores.isnan().any():
            raise InputError(
                "a score is not finite, and comparing it would give it the first rank; lower "
                "learning_rate, or look at the vectors"
            )
        row, other = known.of(node, relation)
        scores[row, other] = -torch.inf
        better = (scores > right).sum(1)
        # The answer itself is filtered as well, so the others of equal score share the places.
        equal = (scores == right).sum(1)
        ranks.append(1 + better + equal / 2)
    return torch.cat(ranks)


def rank_metrics(ranks: Tensor) -> dict[str, float]:
    """MRR and Hits@k of ranks (question,), and how many there are."""
    hits = {f"hits@{k}": (ranks <= k).float().mean().item() for k in HITS}
    return {"mrr": (1 / ranks).mean().item(), **hits, "n": len(ranks)}
