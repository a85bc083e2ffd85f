"""Circles of a hierarchy: concepts each of which is, by way of the others, its own ancestor."""

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

__all__ = ["circles"]


def circles(child: np.ndarray, parent: np.ndarray, nodes: int) -> list[np.ndarray]:
    """The nodes of every circle, lowest first, circles that share a node as one.

    Link i goes from node `child[i]` to node `parent[i]`, two different ones.
    """
    child, parent = _inner(child, parent, nodes)
    if not len(child):
        return []
    links = csr_array((np.ones(len(child), bool), (child, parent)), shape=(nodes, nodes))
    count, label = connected_components(links, connection="strong")
    size = np.bincount(label, minlength=count)
    inside = np.flatnonzero(size[label] > 1)
    inside = inside[np.argsort(label[inside], kind="stable")]
    groups = np.split(inside, np.flatnonzero(np.diff(label[inside])) + 1)
    return sorted((group for group in groups if len(group)), key=lambda group: int(group[0]))


def _inner(child: np.ndarray, parent: np.ndarray, nodes: int) -> tuple[np.ndarray, np.ndarray]:
    """The links that are left when leaves and roots are taken away again and again.

    None of a hierarchy without circles, and of millions of links a few: SciPy's search is dear.
    """
    while len(child):
        above, below = np.zeros((2, nodes), dtype=bool)
        above[parent] = below[child] = True
        inner = above[child] & below[parent]
        if inner.all():
            break
        child, parent = child[inner], parent[inner]
    return child, parent
