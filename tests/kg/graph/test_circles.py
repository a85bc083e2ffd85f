"""Circles of a hierarchy are found, and nothing but circles."""

import numpy as np
import pytest
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from kg.graph.circles import circles


def _circles(nodes: int, *links: tuple[int, int]) -> list[list[int]]:
    child, parent = np.array(links, dtype=np.int64).reshape(-1, 2).T
    return [group.tolist() for group in circles(child, parent, nodes)]


def test_none_in_a_hierarchy():
    assert _circles(0) == _circles(5) == []
    assert _circles(5, (1, 0), (2, 0), (3, 1), (3, 2), (4, 3), (4, 0)) == []


def test_two_circles_with_a_way_between():
    links = [(5, 1), (1, 5), (1, 2), (2, 0), (2, 3), (3, 4), (4, 2), (6, 1)]
    assert _circles(7, *links) == [[1, 5], [2, 3, 4]]


@pytest.mark.parametrize("seed", range(5))
def test_as_strong_components(seed):
    generator = np.random.default_rng(seed)
    child, parent = generator.integers(0, 50, (2, 60))
    child, parent = child[child != parent], parent[child != parent]
    matrix = coo_matrix((np.ones(len(child)), (child, parent)), shape=(50, 50))
    _, labels = connected_components(matrix, connection="strong")
    expected = [np.flatnonzero(labels == label).tolist() for label in np.unique(labels)]
    found = [group.tolist() for group in circles(child, parent, 50)]
    assert found == sorted(group for group in expected if len(group) > 1)
