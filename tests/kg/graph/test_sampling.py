"""Adjacency and neighbour sampling on a graph of six nodes."""

import pytest
import torch
from scipy.stats import chisquare

from kg.graph.sampling import build_adjacency, draw_nodes, sample_block
from kg.graph.segments import ranges
from kg.graph.split import Graph

GRAPH = Graph(
    6,
    ("p", "q"),
    torch.tensor([[0, 0, 1], [0, 0, 2], [0, 0, 3], [1, 1, 0], [2, 1, 4]]),
)
"""0 -p-> 1, 2, 3; 1 -q-> 0 (parallel to the first); 2 -q-> 4; node 5 is alone."""


def messages(block):
    owner, _ = ranges(block.start.diff())
    rows = block.rows[owner]
    return list(zip(rows.tolist(), block.source.tolist(), block.relation.tolist(), strict=True))


def test_both_directions_of_every_triplet():
    block = sample_block(build_adjacency(GRAPH), torch.arange(6), None)
    assert sorted(messages(block)) == [
        (0, 1, 1), (0, 1, 2), (0, 2, 2), (0, 3, 2),
        (1, 0, 0), (1, 0, 3), (2, 0, 0), (2, 4, 3), (3, 0, 0), (4, 2, 1),
    ]  # fmt: skip


def test_hidden_pairs_send_nothing_in_any_relation_or_direction():
    adjacency = build_adjacency(GRAPH)
    hidden = adjacency.pairs == 0 * 6 + 1
    block = sample_block(adjacency, torch.tensor([1, 0]), None, hidden=hidden)
    assert messages(block) == [(0, 2, 2), (0, 3, 2)]
    assert block.start.tolist() == [0, 0, 2]


def test_few_neighbours_are_all_taken_and_many_are_drawn():
    adjacency = build_adjacency(GRAPH)
    generator = torch.Generator().manual_seed(0)
    block = sample_block(adjacency, torch.tensor([5, 1, 0]), 3, generator=generator)
    assert block.start.tolist() == [0, 0, 2, 5]
    assert messages(block)[:2] == [(1, 0, 0), (1, 0, 3)]
    assert set(messages(block)[2:]) <= {(0, 1, 1), (0, 1, 2), (0, 2, 2), (0, 3, 2)}


@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
def test_the_draw_is_uniform(device):
    leaves = 20
    star = Graph(leaves + 1, ("r",), torch.tensor([[0, 0, leaf + 1] for leaf in range(leaves)]))
    rows = torch.zeros(4000, dtype=torch.int64, device=device)
    generator = torch.Generator(device).manual_seed(0)
    block = sample_block(build_adjacency(star.to(device)), rows, 5, generator=generator)
    counts = torch.bincount(block.source, minlength=leaves + 1)[1:].cpu()
    assert counts.sum() == 20_000
    assert chisquare(counts.numpy()).pvalue > 0.001


def test_the_same_seed_draws_the_same():
    adjacency = build_adjacency(GRAPH)
    rows = torch.zeros(50, dtype=torch.int64)
    draws = [
        sample_block(adjacency, rows, 2, generator=torch.Generator().manual_seed(seed)).source
        for seed in (1, 1, 2)
    ]
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])


def test_drawn_nodes_stand_for_all():
    """Their weighted sums estimate those over all nodes, as answers come by their degree."""
    leaves = 50
    star = Graph(leaves + 1, ("r",), torch.tensor([[0, 0, leaf + 1] for leaf in range(leaves)]))
    adjacency, generator = build_adjacency(star), torch.Generator().manual_seed(0)
    value = torch.arange(leaves + 1.0) ** 2
    sums, centre = [], 0
    for _ in range(400):
        edges = torch.randint(len(adjacency.source), (50,), generator=generator)
        nodes, weight = draw_nodes(adjacency, adjacency.source[edges], 20, generator)
        assert len(torch.unique(nodes)) == len(nodes) <= 20
        sums.append((value[nodes] * weight).sum())
        centre += int(0 in nodes)
    assert abs(torch.stack(sums).mean() / value.sum() - 1) < 0.05
    assert centre > 390


def test_fewer_answers_than_wanted_are_all_taken():
    star = Graph(9, ("r",), torch.tensor([[0, 0, leaf] for leaf in range(1, 9)]))
    answers, generator = torch.tensor([0, 3, 3]), torch.Generator().manual_seed(0)
    nodes, weight = draw_nodes(build_adjacency(star), answers, 8, generator)
    assert {0, 3} <= set(nodes.tolist())
    assert len(nodes) == len(weight) <= 2 + 2
