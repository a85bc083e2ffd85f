"""What the stored vectors show to a reader who can do no more than compare and project them.

An LLM's mapper is such a reader. These measures need no decoder: a choice among four by cosine,
the parent of a node by cosine and by a linear map, its top term of the ontology and its semantic
type by a classifier.
"""

import numpy as np
import polars as pl
import torch
from sklearn.linear_model import RidgeClassifier, RidgeCV
from torch import Tensor
from torch.nn import functional as F

from kg.evaluation.baselines import cosine_scorer
from kg.evaluation.ranking import Answers, filtered_ranks, rank_metrics
from kg.graph.hierarchy import of_hierarchy
from kg.graph.split import Graph

__all__ = [
    "choice_accuracy",
    "class_accuracy",
    "mapped_parent_metrics",
    "only_types",
    "parent_metrics",
]

OPTIONS = 4
"""Of a question in the choice by cosine: the right tail and three others."""

DRAWS = 50
"""Before a question is given up, which has not three wrong tails of its relation by then."""

HELD_OUT = 0.2
"""Part of the concepts that the linear probe is judged by."""

MOST_CLASSIFIED = 50_000
"""Concepts, drawn from all that have a class: the accuracy's standard error is below .005 then."""

MOST_MAPPED = 200_000
"""Pairs of child and parent that a map is fitted to; each takes the solver 16 kB."""


def choice_accuracy(
    vectors: Tensor, graph: Graph, known: Answers, generator: torch.Generator, most: int = 2000
) -> dict[str, float]:
    """How often the tail nearest to the head is the right one, by relation; chance is 1/4.

    Of each relation at most `most` triplets of `graph`. The three wrong tails, none twice, are
    drawn from the relation's own tails, so by their frequency, and answer the head in none of
    `known`; what has not three of them is not asked.
    """
    unit = F.normalize(vectors.float(), dim=-1)
    accuracies = {}
    for code, name in enumerate(graph.relations):
        rows = (graph.triplets[:, 1] == code).nonzero().squeeze(1)
        tails = graph.triplets[rows, 2]
        if len(torch.unique(tails)) < OPTIONS:
            continue
        rows = rows[torch.randperm(len(rows), generator=generator)[:most]]
        head, relation, tail = graph.triplets[rows].T
        wrong, complete = _wrong_tails(head, relation, tails, known, generator)
        if not complete.any():
            continue
        options = torch.cat([tail.unsqueeze(1), wrong], dim=1)
        cosine = torch.einsum("qd,qod->qo", unit[head], unit[options])[complete]
        accuracies[name] = (cosine[:, 0] > cosine[:, 1:].amax(1)).float().mean().item()
    return accuracies


def parent_metrics(vectors: Tensor, asked: Graph, whole: Graph) -> dict[str, float] | None:
    """Rank measures of the held-out parents by cosine, other parents (those in `whole`) filtered.

    A parent is one by whichever relation of the hierarchy. None without a hierarchy.
    """
    questions = _parents(asked).triplets
    if not len(questions):
        return None
    known = Answers([_parents(whole)])
    return rank_metrics(filtered_ranks(questions, cosine_scorer(vectors), known))


def mapped_parent_metrics(
    vectors: Tensor, train: Graph, asked: Graph, whole: Graph
) -> dict[str, float] | None:
    """The same by a linear map from child to parent, fitted to `train`; then by cosine.

    The map is a ridge regression whose penalty is chosen by leave-one-out, fitted to at most
    `MOST_MAPPED` of the pairs, evenly spread.
    """
    questions, pairs = _parents(asked).triplets, _parents(train).triplets
    if not len(questions) or not len(pairs):
        return None
    pairs = pairs[:: -(-len(pairs) // MOST_MAPPED)]
    unit = F.normalize(vectors.float(), dim=-1)
    x, y = unit[pairs[:, 0]].numpy(), unit[pairs[:, 2]].numpy()
    read = RidgeCV(alphas=(0.1, 1.0, 10.0)).fit(x, y)

    def score(node: Tensor, relation: Tensor) -> Tensor:
        mapped = torch.from_numpy(read.predict(unit[node].numpy())).float()
        return (mapped @ unit.T).scatter_(1, node.unsqueeze(1), -torch.inf)

    return rank_metrics(filtered_ranks(questions, score, Answers([_parents(whole)])))


def only_types(concepts: pl.DataFrame) -> Tensor:
    """Semantic type of each concept (schema CONCEPTS), (node,) int64; -1: none or several."""
    types = concepts["semantic_types"]
    name = types.list.first().set(types.list.len() != 1, None)
    code = name.rank("dense").cast(pl.Int64) - 1
    return torch.from_numpy(code.fill_null(-1).to_numpy().copy())


def class_accuracy(vectors: Tensor, classes: Tensor, generator: torch.Generator) -> float | None:
    """Accuracy of a linear classifier on held-out nodes; None without two classes to tell apart.

    Shapes: `vectors` (node, dim); `classes` (node,), those below 0 do not count.
    """
    rows = (classes >= 0).nonzero().squeeze(1)
    rows = rows[torch.randperm(len(rows), generator=generator)][:MOST_CLASSIFIED]
    if len(torch.unique(classes[rows])) < 2:
        return None
    x, y = vectors[rows].float().numpy(), classes[rows].numpy()
    x = (x - x.mean(0)) / np.maximum(x.std(0), 1e-6)
    held = max(1, int(HELD_OUT * len(rows)))
    probe = RidgeClassifier(alpha=10.0).fit(x[held:], y[held:])
    return float(probe.score(x[:held], y[:held]))


def _parents(graph: Graph) -> Graph:
    """Concepts and their parents, once each, by one relation instead of the hierarchy's several."""
    edges = of_hierarchy(graph).clone()
    edges[:, 1] = 0
    return Graph(graph.nodes, ("parent",), torch.unique(edges, dim=0))


def _wrong_tails(
    head: Tensor, relation: Tensor, tails: Tensor, known: Answers, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Wrong options (question, 3) drawn from `tails`, and which questions have three, (question,).

    What is true after all, or stands before it already, is drawn anew.
    """
    row, answer = known.of(head, relation)
    width = 1 + int(torch.cat([tails, answer]).max())
    true = (row * width + answer).sort().values
    question = torch.arange(len(head)).unsqueeze(1).expand(-1, OPTIONS - 1)
    wrong = torch.full((len(head), OPTIONS - 1), -1)
    unfit = torch.ones_like(wrong, dtype=torch.bool)
    for _ in range(DRAWS):
        drawn = torch.randint(len(tails), (int(unfit.sum()),), generator=generator)
        wrong[unfit] = tails[drawn]
        twice = (wrong.unsqueeze(1) == wrong.unsqueeze(2)).tril(-1).any(2)
        unfit = twice | _is_in(true, question * width + wrong)
        if not unfit.any():
            break
    return wrong, ~unfit.any(1)


def _is_in(ordered: Tensor, values: Tensor) -> Tensor:
    """Which of the values are among the ordered ones; bool of the values' shape."""
    place = torch.searchsorted(ordered, values).clamp(max=len(ordered) - 1)
    return ordered[place] == values
