"""The part of a graph that leads from concepts to more general ones."""

import torch
from torch import Tensor

from kg.graph.split import Graph
from kg.graph.tables import PARENT_RELATIONS

__all__ = ["of_hierarchy", "top_terms"]

MOST_ROOTS = 64
"""Of the hierarchy, those with the most children, among which the largest is sought."""

AT_ONCE = 1 << 28
"""Flags held while descendants are looked for."""


def top_terms(graph: Graph) -> Tensor:
    """Number of the top term, a child of the largest root, that a node is below, (node,) int64.

    -1: below none or several.
    """
    top = torch.full((graph.nodes,), -1)
    edges = of_hierarchy(graph)
    child, parent = edges[:, 0], edges[:, 2]
    is_root = torch.zeros(graph.nodes, dtype=torch.bool)
    is_root[parent] = True
    is_root[child] = False
    children = torch.bincount(parent, minlength=graph.nodes) * is_root
    roots = children.topk(min(MOST_ROOTS, graph.nodes)).indices
    roots = roots[is_root[roots]]
    if not len(roots):
        return top
    below = _reached(roots, child, parent, graph.nodes)
    tops = torch.unique(child[parent == roots[below.sum(1).argmax()]])
    member = _reached(tops, child, parent, graph.nodes)
    one = member.sum(0) == 1
    top[one] = member[:, one].int().argmax(0)
    return top


def of_hierarchy(graph: Graph) -> Tensor:
    """Its triplets from a concept to a more general one, (triplet, 3); there may be none."""
    codes = [code for code, name in enumerate(graph.relations) if name in PARENT_RELATIONS]
    return graph.triplets[torch.isin(graph.triplets[:, 1], torch.tensor(codes, dtype=torch.long))]


def _reached(starts: Tensor, child: Tensor, parent: Tensor, nodes: int) -> Tensor:
    """Which nodes are below each start (or are it), (start, node) bool."""
    chunk = max(1, AT_ONCE // max(nodes, len(child)))
    return torch.cat([_below(part, child, parent, nodes) for part in starts.split(chunk)])


def _below(starts: Tensor, child: Tensor, parent: Tensor, nodes: int) -> Tensor:
    reached = torch.zeros(len(starts), nodes, dtype=torch.bool)
    reached[torch.arange(len(starts)), starts] = True
    while True:
        below = reached | _any(reached[:, parent], child, nodes)
        if torch.equal(below, reached):
            return reached
        reached = below


def _any(flags: Tensor, at: Tensor, nodes: int) -> Tensor:
    """Whether any of the flags (start, edge) of a node is set, (start, node) bool."""
    total = torch.zeros(len(flags), nodes, dtype=torch.int32)
    return total.index_add_(1, at, flags.int()) > 0
