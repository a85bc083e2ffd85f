"""Who sends messages to whom: an adjacency in compressed rows and a uniform neighbour sampler.

PyG's loaders need pyg-lib, which is not on the package index; this one is vectorised torch, runs
on the device of its tensors and takes its randomness from a generator. Triplet (h, r, t) becomes
two edges: h sends to t by relation r, t sends to h by r + R.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from kg.graph.segments import ranges, starts
from kg.graph.split import Graph

__all__ = ["Adjacency", "Block", "build_adjacency", "draw_nodes", "sample_block"]


@dataclass(frozen=True)
class Adjacency:
    """Incoming edges of node v are the positions `start[v]:start[v + 1]`.

    Shapes: `start` (node + 1,); `source`, `relation`, `pair` (edge,), all int64. `pair` is the
    row of the edge's unordered node pair in `pairs` (pair,), which is sorted.
    """

    start: Tensor
    source: Tensor
    relation: Tensor
    pair: Tensor
    pairs: Tensor
    relations: int
    """Number of edge relations, inverses included."""

    @property
    def nodes(self) -> int:
        """Number of nodes."""
        return len(self.start) - 1


@dataclass(frozen=True)
class Block:
    """The messages of one layer: row i receives those at `start[i]:start[i + 1]`.

    Shapes: `rows` (row,) nodes; `start` (row + 1,); `source` (edge,) nodes; `relation` (edge,).
    """

    rows: Tensor
    start: Tensor
    source: Tensor
    relation: Tensor


def build_adjacency(graph: Graph) -> Adjacency:
    """Both directions of every triplet, sorted by receiving node."""
    head, relation, tail = graph.triplets.T
    count = len(graph.relations)
    source, target = torch.cat([head, tail]), torch.cat([tail, head])
    relation = torch.cat([relation, relation + count])
    pairs, pair = torch.unique(graph.pairs, return_inverse=True)
    order = torch.argsort(target, stable=True)
    start = starts(torch.bincount(target, minlength=graph.nodes))
    pair = torch.cat([pair, pair])[order]
    return Adjacency(start, source[order], relation[order], pair, pairs, 2 * count)


def sample_block(
    adjacency: Adjacency,
    rows: Tensor,
    fanout: int | None,
    *,
    generator: torch.Generator | None = None,
    hidden: Tensor | None = None,
) -> Block:
    """Edges into `rows` (row,): all of them, or `fanout` drawn uniformly where there are more.

    Draws are with replacement. Edges whose pair is marked in `hidden` (pair,) bool send nothing,
    as if they were not in the graph.
    """
    start, count = adjacency.start[rows], adjacency.start[rows + 1] - adjacency.start[rows]
    taken = count if fanout is None else count.clamp(max=fanout)
    owner, position = ranges(taken)
    if fanout is not None:
        crowded = (count > fanout)[owner]
        draw = torch.rand(len(owner), generator=generator, device=rows.device)
        position = torch.where(crowded, (draw * count[owner]).long(), position)
    edge = start[owner] + position
    if hidden is not None:
        seen = ~hidden[adjacency.pair[edge]]
        owner, edge = owner[seen], edge[seen]
        taken = torch.bincount(owner, minlength=len(rows))
    return Block(rows, starts(taken), adjacency.source[edge], adjacency.relation[edge])


def draw_nodes(
    adjacency: Adjacency, answers: Tensor, count: int, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """At most `count` nodes: a quarter uniform, the others of a batch's `answers` (answer,).

    The answers come by their degree, as the likely wrong answers do, and have vectors in any case;
    the uniform quarter bounds what a rare node stands for. Each node stands once. The second tensor
    is the weight by which a sum over the drawn nodes estimates that over all; two (drawn,).
    """
    device = adjacency.source.device
    uniform = torch.randint(adjacency.nodes, (-(-count // 4),), generator=generator, device=device)
    order = torch.randperm(len(answers), generator=generator, device=device)
    some = answers[order[: count - len(uniform)]]
    nodes, times = torch.unique(torch.cat([uniform, some]), return_counts=True)
    share = adjacency.start.diff()[nodes] / len(adjacency.source)
    expected = len(uniform) / adjacency.nodes + len(some) * share
    return nodes, times / expected
