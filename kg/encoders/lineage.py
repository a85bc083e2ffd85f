"""A concept's text with that of its parents and their parents: where in the hierarchy it stands."""

import torch
from torch import Tensor
from torch.nn import functional as F

from kg.graph.hierarchy import of_hierarchy
from kg.graph.rows import Matrix, Rows
from kg.graph.segments import mean_of_rows, ranges, starts
from kg.graph.split import Graph

__all__ = ["lineage"]


def lineage(text: Matrix, train: Graph) -> Rows:
    """Text features (node, feature) plus the parents', grandparents' means, each at length 1.

    Of length 1 as well; the text alone where there is no parent or no hierarchy in the graph.
    """
    edges = of_hierarchy(train)
    child, parent = edges[:, 0], edges[:, 2]
    parent = parent[torch.argsort(child, stable=True)]
    first = starts(torch.bincount(child, minlength=train.nodes))

    def total(nodes: Tensor, generations: int) -> Tensor:
        """Of some nodes, so many generations up, (node, feature); not of length 1."""
        unit = F.normalize(text[nodes].float(), dim=1)
        if not generations:
            return unit
        count = first[nodes + 1] - first[nodes]
        owner, position = ranges(count)
        above, place = torch.unique(parent[first[nodes][owner] + position], return_inverse=True)
        up = mean_of_rows(total(above, generations - 1), starts(count), place)
        return unit + F.normalize(up, dim=1)

    return Rows(text.shape, lambda rows: F.normalize(total(rows, 2), dim=1))
