"""The text of a concept with its ancestors'."""

import torch
from torch.nn import functional as F

from kg.encoders.lineage import lineage
from kg.graph.rows import whole
from kg.graph.split import Graph

TEXT = 3 * torch.eye(5)


def test_parents_and_grandparents_count():
    """0 is a 1, 1 is a 2, 2 is a 3; 4 is linked by another relation."""
    triplets = torch.tensor([[0, 0, 1], [1, 0, 2], [2, 0, 3], [4, 1, 0]])
    got = whole(lineage(TEXT, Graph(5, ("is_a", "q"), triplets)))
    torch.testing.assert_close(got.norm(dim=1), torch.ones(5))
    assert (got > 0).int().tolist() == [
        [1, 1, 1, 0, 0], [0, 1, 1, 1, 0], [0, 0, 1, 1, 0], [0, 0, 0, 1, 0], [0, 0, 0, 0, 1],
    ]  # fmt: skip


def test_without_a_hierarchy_it_is_the_text():
    got = whole(lineage(TEXT, Graph(5, ("q",), torch.tensor([[4, 0, 0]]))))
    torch.testing.assert_close(got, F.normalize(TEXT, dim=1))
