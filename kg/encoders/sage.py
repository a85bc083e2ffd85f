"""GraphSAGE over text features (Hamilton et al. 2017), with or without relations in its messages.

`graphsage` is PyG's SAGEConv with the mean over neighbours; `edgegraphsage` adds what
E-GraphSAGE (arXiv 2103.16329) puts into a message, [h_u ; e_uv], where e_uv is a learned vector
of the relation: its message function is linear, so the mean over neighbours of W [h_u ; e_uv]
is W_h mean(h_u) + W_e mean(e_uv), and the second term is a mean over rows of one small table.
Text and neighbours tell what a node is likely to be linked to; a free vector a node, added to what
they say, remembers what it is linked to, as a look-up encoder's does.
"""

import warnings
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch_geometric.nn import SAGEConv

from kg.encoders.inputs import NodeFeatures
from kg.graph.sampling import Adjacency, Block, sample_block
from kg.graph.segments import mean_of_rows

__all__ = ["GraphEncoder", "MeanSAGE"]

LEFT_OUT = 0.5
"""Part of the nodes whose free vector a training step does without, so that text and neighbours
learn to speak for themselves."""


# Of the sparse tensor only the indices are used: it is how SAGEConv is told of them.
warnings.filterwarnings("ignore", message="Sparse (CSR tensor support is in beta|invariant checks)")


class MeanSAGE(SAGEConv):
    """SAGEConv whose mean is one pass over the rows: 10 times PyG's scatter on a CPU."""

    def message_and_aggregate(self, adj_t: Tensor, x: tuple[Tensor, Tensor]) -> Tensor:
        """Mean over neighbours, (row, channel), of a sparse CSR matrix of rows x sources."""
        return mean_of_rows(x[0], adj_t.crow_indices(), adj_t.col_indices())


class GraphLayer(nn.Module):
    """SAGE (+ relations), LayerNorm, ReLU, and a skip from the node itself."""

    def __init__(self, width_in: int, sent: int, width: int, relations: int) -> None:
        super().__init__()
        self.conv = MeanSAGE((sent, width_in), width)
        self.relation = nn.Linear(relations, width, bias=False) if relations else None
        self.skip = nn.Identity() if width_in == width else nn.Linear(width_in, width)
        self.norm = nn.LayerNorm(width)

    def forward(
        self, x: Tensor, own: Tensor, start: Tensor, source: Tensor, relation: Tensor
    ) -> Tensor:
        """New vectors (row, width).

        Shapes: `x` (source node, sent); `own` (row, width_in); `start` (row + 1,) and `source`,
        `relation` (edge,) as in `kg.graph.sampling.Block`, `source` being rows of `x`.
        """
        # The indices are right by construction; checking them would cost as much as using them.
        edges = torch.sparse_csr_tensor(
            start, source, torch.ones_like(source), (len(own), len(x)), check_invariants=False
        )
        out = self.conv((x, own), edges)
        if self.relation is not None:
            told = self.relation.weight.T.contiguous()
            out = out + mean_of_rows(told, start, relation).to(out.dtype)
        return self.skip(own) + F.relu(self.norm(out))

    def alone(self, own: Tensor) -> Tensor:
        """New vectors (row, width) of nodes (row, width_in) that no message reaches."""
        linked = self.conv.lin_r(own)
        return self.skip(own) + F.relu(self.norm(self.conv.lin_l.bias.to(linked.dtype) + linked))


class GraphEncoder(nn.Module):
    """Text features of all nodes -> graph vectors of some.

    Forward pass:
    1. Sample the edges of every layer, from the last to the first; the first layer's rows are the
       nodes that the later ones need.
    2. First layer: what neighbours send, which is fixed and needs no gradient.
    3. Further layers on the previous layer's output.
    4. The nodes' free vectors on top.
    """

    def __init__(
        self,
        features: int,
        sent: int,
        width: int,
        layers: int,
        relations: int,
        nodes: int = 0,
    ) -> None:
        """`features`, `sent`: widths of the node features.

        `relations`: edge relations that messages see; 0 for plain GraphSAGE. `nodes`: how many have
        a free vector; 0: none has.
        """
        super().__init__()
        widths = [(features, sent)] + [(width, width)] * (layers - 1)
        self.layers = nn.ModuleList(GraphLayer(*wide, width, relations) for wide in widths)
        self.free = nn.Parameter(torch.zeros(nodes, width)) if nodes else None

    def forward(
        self,
        features: NodeFeatures,
        adjacency: Adjacency,
        nodes: Tensor,
        *,
        fanout: int | None = None,
        generator: torch.Generator | None = None,
        hidden: Tensor | None = None,
    ) -> Tensor:
        """Vectors of `nodes`, (node, width); the other arguments as in `sample_block`."""
        blocks: list[Block] = []
        for _ in self.layers:
            rows = blocks[0].rows if blocks else nodes
            if blocks:
                rows = _union(rows, blocks[0].source, adjacency.nodes)
            blocks.insert(
                0, sample_block(adjacency, rows, fanout, generator=generator, hidden=hidden)
            )
        x, before = features.sent, None
        for layer, block in zip(self.layers, blocks, strict=True):
            if before is None:
                own, source = features.own[block.rows], block.source
            else:
                place = _places(before.rows, adjacency.nodes)
                own, source = x[place[block.rows]], place[block.source]
            x, before = layer(x, own, block.start, source, block.relation), block
        if self.free is None:
            return x
        return x + F.embedding(nodes, self.free) * self._used(adjacency, nodes, generator)

    def alone(self, own: Tensor) -> Tensor:
        """Vectors (node, width) of nodes without edges, from their own features (node, feature)."""
        for layer in cast("list[GraphLayer]", self.layers):
            own = layer.alone(own)
        return own

    def _used(
        self, adjacency: Adjacency, nodes: Tensor, generator: torch.Generator | None
    ) -> Tensor:
        """Which of `nodes` have their free vector now, (node, 1) bool.

        Those without edges never: as mere wrong answers they would drift off their text.
        """
        used = adjacency.start[nodes + 1] > adjacency.start[nodes]
        if self.training:
            used &= torch.rand(len(nodes), generator=generator, device=nodes.device) >= LEFT_OUT
        return used.unsqueeze(1)


def _union(rows: Tensor, more: Tensor, nodes: int) -> Tensor:
    marked = torch.zeros(nodes, dtype=torch.bool, device=rows.device)
    marked[rows] = True
    marked[more] = True
    return marked.nonzero().squeeze(1)


def _places(rows: Tensor, nodes: int) -> Tensor:
    place = torch.full((nodes,), -1, device=rows.device)
    place[rows] = torch.arange(len(rows), device=rows.device)
    return place
