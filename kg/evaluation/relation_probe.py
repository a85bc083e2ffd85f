"""Relation classification: which relation holds between two linked concepts, by their vectors.

The measure of MEG's published notebook. What it was done by there is not known; here it is
multinomial logistic regression on [head, tail, head * tail], standardised, fitted to training
triplets and judged by held-out ones.
"""

import warnings

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from kg.graph.projection import Standard
from kg.graph.split import Graph, Split

__all__ = ["relation_accuracy"]

FITTED, JUDGED = 20_000, 10_000
"""Triplets at most, drawn uniformly: enough for 100 relations, and seconds of one thread."""

ROUNDS = 100
"""Of the solver; the accuracy is settled long before the weights are."""


def relation_accuracy(
    vectors: Tensor | None, split: Split, generator: torch.Generator
) -> dict[str, float] | None:
    """Accuracy over triplets, and its mean over relations; None where there is one relation only.

    A relation that also holds between the two concepts of a held-out triplet is right as well.
    Without `vectors` the most frequent relation is always answered: what a number has to beat.
    """
    fitted, judged = _some(split.train, FITTED, generator), _some(split.test, JUDGED, generator)
    relation = fitted.triplets[:, 1].numpy()
    if len(np.unique(relation)) < 2:
        return None
    if vectors is None:
        answers = np.full(len(judged), np.bincount(relation).argmax())
    else:
        x = _pairs(vectors, fitted)
        standard = Standard.of(x)
        model = LogisticRegression(max_iter=ROUNDS)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(standard(x).numpy(), relation)
        answers = model.predict(standard(_pairs(vectors, judged)).numpy())
    right = _holds(torch.from_numpy(answers), judged, split.test)
    asked = judged.triplets[:, 1]
    by_relation = [right[asked == code].mean().item() for code in torch.unique(asked)]
    return {
        "accuracy": right.mean().item(),
        "macro": sum(by_relation) / len(by_relation),
        "n": len(judged),
    }


def _some(graph: Graph, most: int, generator: torch.Generator) -> Graph:
    return graph.part(torch.randperm(len(graph), generator=generator)[:most])


def _pairs(vectors: Tensor, graph: Graph) -> Tensor:
    """What the classifier sees of each triplet, (triplet, 3 dim)."""
    head, tail = (vectors[graph.triplets[:, end]].float() for end in (0, 2))
    return torch.cat([head, tail, head * tail], dim=1)


def _holds(relation: Tensor, asked: Graph, test: Graph) -> Tensor:
    """Whether the relations (triplet,) hold between the ends of `asked` in `test`, as 0. or 1."""

    def key(head: Tensor, relation: Tensor, tail: Tensor) -> Tensor:
        return (head * test.nodes + tail) * len(test.relations) + relation

    head, _, tail = asked.triplets.T
    return torch.isin(key(head, relation, tail), key(*test.triplets.T)).float()
