"""The tables as integers: a graph of nodes and triplets, and its split for link prediction.

Node i is row i of the concepts. The split is by unordered node pair, so that neither the inverse
of a held-out triplet nor another relation between its two nodes is seen in training; and every
node keeps a pair in training, so that no node is judged by edges it never had.
"""

from dataclasses import dataclass, replace

import polars as pl
import torch
from torch import Tensor

from kg.shared.errors import InputError

__all__ = ["Graph", "Split", "build_graph", "split_graph"]


@dataclass(frozen=True)
class Graph:
    """Directed triplets over `nodes` nodes.

    Shapes: `triplets` (triplet, 3) int64, columns head, relation, tail; no row stands twice.
    """

    nodes: int
    relations: tuple[str, ...]
    triplets: Tensor

    def __len__(self) -> int:
        return len(self.triplets)

    @property
    def pairs(self) -> Tensor:
        """Number of each triplet's unordered node pair, (triplet,) int64."""
        ends = self.triplets[:, [0, 2]]
        return ends.amin(1) * self.nodes + ends.amax(1)

    def to(self, device: torch.device) -> "Graph":
        """The graph on a device."""
        return Graph(self.nodes, self.relations, self.triplets.to(device))

    def part(self, rows: Tensor) -> "Graph":
        """The same nodes and relations with some of the triplets (indices or a mask)."""
        return Graph(self.nodes, self.relations, self.triplets[rows])


@dataclass(frozen=True)
class Split:
    """Three graphs over the same nodes whose triplets have no node pair in common."""

    train: Graph
    validation: Graph
    test: Graph

    @property
    def whole(self) -> Graph:
        """The graph that was split, its triplets in another order."""
        parts = self.train, self.validation, self.test
        return replace(self.train, triplets=torch.cat([part.triplets for part in parts]))


def build_graph(concepts: pl.DataFrame, triplets: pl.DataFrame) -> Graph:
    """Graph of the two tables; duplicate triplets count once.

    Raises InputError when there is no triplet or an end is not a concept.
    """
    if triplets.is_empty():
        raise InputError(
            f"the graph has no triplets ({concepts.height} concepts); "
            "check triplets.parquet and what its source dropped"
        )
    numbers = concepts.select("cui", node=pl.int_range(pl.len()))
    ends = {}
    for end in ("head", "tail"):
        joined = triplets.select(cui=end).join(numbers, on="cui", how="left", maintain_order="left")
        if lost := joined["node"].null_count():
            raise InputError(
                f"the {end} of {lost} of {triplets.height} triplets is not in the concepts; "
                "give the two tables of one source"
            )
        ends[end] = torch.from_numpy(joined["node"].to_numpy().copy())
    relations = sorted(triplets["relation"].unique())
    codes = {relation: code for code, relation in enumerate(relations)}
    coded = triplets["relation"].replace_strict(codes, return_dtype=pl.Int64)
    relation = torch.from_numpy(coded.to_numpy().copy())
    rows = torch.stack([ends["head"], relation, ends["tail"]], dim=1)
    return Graph(concepts.height, tuple(relations), torch.unique(rows, dim=0))


def split_graph(graph: Graph, validation: float, test: float, generator: torch.Generator) -> Split:
    """Hold out these fractions of the node pairs (less where nodes would lose their last pair).

    Self-loops stay in training. Raises InputError when nothing can be held out.
    """
    pairs, of_triplet = torch.unique(graph.pairs, return_inverse=True)
    pairs = pairs[torch.randperm(len(pairs), generator=generator)]
    ends = torch.stack([pairs // graph.nodes, pairs % graph.nodes])
    loop = ends[0] == ends[1]
    # A loop is no link to another node, so it is not what a node keeps.
    linked, ends = pairs[~loop], ends[:, ~loop]
    candidates = linked[~_leads(ends, graph.nodes)]
    if len(candidates) < 2:
        raise InputError(
            f"of {len(linked)} linked node pairs {len(candidates)} can be held out, expected 2 or "
            "more: nodes would lose their last; the graph is too small or too sparse to learn from"
        )
    room = min(1.0, len(candidates) / len(linked) / (validation + test))
    sizes = [max(1, int(len(linked) * share * room)) for share in (validation, test)]
    role = torch.zeros(len(pairs), dtype=torch.int8)
    order = torch.sort(pairs).values
    role[torch.searchsorted(order, candidates[: sizes[0]])] = 1
    role[torch.searchsorted(order, candidates[sizes[0] : sum(sizes)])] = 2
    roles = role[of_triplet]
    return Split(*(graph.part(roles == code) for code in range(3)))


def _leads(ends: Tensor, nodes: int) -> Tensor:
    """Whether a pair is the first, in their order, at one of its two ends; (pair,) bool."""
    count = ends.shape[1]
    first = torch.full((nodes,), count)
    position = torch.arange(count)
    for side in ends:
        first.scatter_reduce_(0, side, position, "amin")
    return (first[ends] == position).any(0)
