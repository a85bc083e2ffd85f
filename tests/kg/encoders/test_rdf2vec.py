"""Walks follow edges either way, every edge as often, and are the sentences of word2vec."""

import torch
from scipy.stats import chisquare

from kg.config import RDF2VecConfig
from kg.encoders.rdf2vec import random_walks, walk_vectors
from kg.graph.sampling import build_adjacency
from kg.graph.split import Graph

GRAPH = Graph(
    6,
    ("p", "q"),
    torch.tensor([[0, 0, 1], [0, 0, 2], [0, 0, 3], [1, 1, 0], [2, 1, 4]]),
)
"""0 -p-> 1, 2, 3; 1 -q-> 0; 2 -q-> 4; node 5 is alone."""


def walks(count=200, hops=3, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return random_walks(build_adjacency(GRAPH), count, hops, generator)


def test_every_step_is_an_edge_or_its_reciprocal():
    edges = {(h, 6 + r, t) for h, r, t in GRAPH.triplets.tolist()}
    # Messages come from the head by r and from the tail by r + 2: a walk goes against them.
    edges = {(t, r, h) for h, r, t in edges} | {(h, r + 2, t) for h, r, t in edges}
    table = walks()
    linked = table[table[:, 0] != 5]
    for place in range(0, 6, 2):
        assert set(map(tuple, linked[:, place : place + 3].tolist())) == edges


def test_a_node_without_edges_is_a_sentence_of_its_own():
    assert set(map(tuple, walks()[walks()[:, 0] == 5].tolist())) == {(5, *[-1] * 6)}


def test_as_many_walks_from_every_node():
    assert torch.bincount(walks(7)[:, 0]).tolist() == [7] * 6


def test_steps_are_uniform():
    """Node 0 has four edges, two of them to node 1."""
    first = walks(4000)
    counts = torch.bincount(first[first[:, 0] == 0, 2], minlength=4)[1:]
    assert chisquare(counts.numpy(), [2000, 1000, 1000]).pvalue > 1e-3


def test_the_seed_decides():
    assert torch.equal(walks(), walks())
    assert not torch.equal(walks(), walks(seed=1))


def test_linked_nodes_are_near():
    config = RDF2VecConfig(dim=16, walks=50, epochs=5, learning_rate=0.05)
    rows = [[i, 0, j] for group in (0, 6) for i in range(6) for j in range(i) if group == 0]
    rows += [[i + 6, 0, j + 6] for i, _, j in rows]
    vectors = walk_vectors(Graph(12, ("r",), torch.tensor(rows)), config)
    unit = torch.nn.functional.normalize(vectors, dim=1)
    cosine = unit @ unit.T
    assert cosine[:6, :6].min() > cosine[:6, 6:].max() + 0.05
