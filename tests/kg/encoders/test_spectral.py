"""The spectral embedding."""

import torch

from kg.encoders.spectral import spectral_embedding
from kg.graph.split import Graph


def two_cliques(nodes=20):
    """Two groups of eight, each complete, joined by one edge; the last nodes are alone."""
    rows = [(a, 0, b) for group in (range(8), range(8, 16)) for a in group for b in group if a < b]
    return Graph(nodes, ("r",), torch.tensor([*rows, (0, 0, 8)]))


def embed(graph, dim):
    return spectral_embedding(graph, dim, torch.Generator().manual_seed(0))


def test_linked_nodes_are_near_and_others_are_not():
    unit = torch.nn.functional.normalize(embed(two_cliques(), 2), dim=1)
    cosine = unit @ unit.T
    assert cosine[1, 2:8].min() > 0.9
    assert cosine[1, 9:16].max() < 0.1


def test_products_are_entries_of_the_scaled_adjacency():
    graph = Graph(4, ("r",), torch.tensor([[0, 0, 1], [0, 0, 2], [1, 0, 2], [2, 0, 3]]))
    adjacency = torch.zeros(4, 4, dtype=torch.float64)
    head, _, tail = graph.triplets.T
    adjacency[head, tail] = adjacency[tail, head] = 1
    weight = adjacency.sum(1) ** -0.25
    values, vectors = torch.linalg.eigh(weight[:, None] * adjacency * weight)
    positive = (vectors * values.clamp(min=0)) @ vectors.T
    got = embed(graph, 3).double()
    torch.testing.assert_close(got @ got.T, positive, atol=1e-3, rtol=0)


def test_nodes_without_edges_and_dimensions_too_many_are_zero():
    vectors = embed(two_cliques(), 64)
    assert vectors.shape == (20, 64)
    assert not vectors[16:].any()
    assert not vectors[:, 19:].any()


def test_the_same_twice():
    assert torch.equal(embed(two_cliques(), 4), embed(two_cliques(), 4))
