"""Relations told apart by two vectors."""

import pytest
import torch

from kg.evaluation.relation_probe import relation_accuracy
from kg.graph.split import Graph, Split

NODES = 90


def split_of(rows, relations=("ab", "ba", "same")):
    """The same triplets in training and test: what is tested is the classifier."""
    graph = Graph(NODES, relations, torch.tensor(rows))
    return Split(graph, graph, graph)


def kinds():
    """Nodes of two kinds; the relation follows from the kinds of head and tail."""
    rows = [[i, 0, 45 + (i * 7) % 45] for i in range(45)]
    rows += [[45 + i, 1, (i * 11) % 45] for i in range(30)]
    rows += [[i, 2, (i + 5) % 45] for i in range(15)]
    rows += [[45 + i, 2, 45 + (i + 5) % 45] for i in range(15)]
    return rows


def seeded():
    return torch.Generator().manual_seed(0)


def test_vectors_that_tell_and_vectors_that_do_not():
    kind = (torch.arange(NODES) >= 45).float().unsqueeze(1)
    telling = relation_accuracy(torch.cat([kind, 1 - kind], dim=1), split_of(kinds()), seeded())
    assert telling == {"accuracy": 1.0, "macro": 1.0, "n": 105}
    blind = relation_accuracy(torch.ones(NODES, 2), split_of(kinds()), seeded())
    assert blind == relation_accuracy(None, split_of(kinds()), seeded())
    assert blind["accuracy"] == pytest.approx(45 / 105)
    assert blind["macro"] == pytest.approx(1 / 3)


def test_every_relation_of_a_pair_is_right():
    rows = kinds() + [[head, 2, tail] for head, relation, tail in kinds() if relation == 0]
    row = relation_accuracy(None, split_of(rows), seeded())
    # "same" is the most frequent one now, and holds wherever "ab" does.
    assert row["accuracy"] == pytest.approx((75 + 45) / 150)


def test_one_relation_is_nothing_to_classify():
    rows = [[i, 0, i + 1] for i in range(9)]
    assert relation_accuracy(torch.ones(NODES, 2), split_of(rows), seeded()) is None
