"""A concept's text with that of its parents and their parents: where in the hierarchy it stands."""

import torch
from torch import Tensor
from torch.nn import functional as F

from kg.graph import Graph
from kg.probe import of_hierarchy

__all__ = ["lineage"]


def lineage(text: Tensor, train: Graph) -> Tensor:
    """Text features (node, feature) plus the parents', grandparents' means, each at length 1.

    Of length 1 as well; the text alone where there is no parent or no hierarchy in the graph.
    """
    edges = of_hierarchy(train)
    child, parent = edges[:, 0], edges[:, 2]
    unit = F.normalize(text, dim=1)
    total = unit
    for _ in range(2):
        up = torch.zeros_like(unit).index_add_(0, child, total[parent])
        total = unit + F.normalize(up, dim=1)
    return F.normalize(total, dim=1)
