"""GraphSAGE: messages, their mean, and who is needed for whom."""

import pytest
import torch

from kg.encoders.inputs import NodeFeatures
from kg.encoders.sage import GraphEncoder
from kg.graph.sampling import build_adjacency
from kg.graph.split import Graph

GRAPH = Graph(6, ("p", "q"), torch.tensor([[0, 0, 1], [1, 0, 2], [2, 1, 3], [3, 1, 4], [0, 1, 2]]))
"""A path of five nodes with a shortcut; node 5 is alone."""


def encoder(relations=4, layers=2):
    torch.manual_seed(0)
    return GraphEncoder(5, 5, 8, layers, relations)


def features(more=0):
    """Node 4's own features and message are `more` more."""
    x = torch.randn(6, 5, generator=torch.Generator().manual_seed(1))
    x[4] += more
    return NodeFeatures(x, x)


class TestEncoder:
    def test_some_nodes_get_what_all_would(self):
        model, adjacency = encoder(), build_adjacency(GRAPH)
        everything = model(features(), adjacency, torch.arange(6))
        some = torch.tensor([4, 0, 5])
        torch.testing.assert_close(model(features(), adjacency, some), everything[some])

    def test_two_layers_see_two_steps(self):
        model, adjacency = encoder(), build_adjacency(GRAPH)
        difference = (
            (
                model(features(), adjacency, torch.arange(6))
                - model(features(more=1), adjacency, torch.arange(6))
            )
            .abs()
            .sum(1)
        )
        # 4 - 3 - 2 is a path of two edges; 0 and 1 are three away.
        assert (difference[[2, 3, 4]] > 1e-4).all()
        assert (difference[[0, 1, 5]] == 0).all()

    def test_a_hidden_pair_is_as_if_it_were_not_there(self):
        without = build_adjacency(GRAPH.part(torch.tensor([0, 1, 2, 4])))
        adjacency = build_adjacency(GRAPH)
        hidden = adjacency.pairs == 3 * 6 + 4
        nodes = torch.arange(6)
        model = encoder()
        torch.testing.assert_close(
            model(features(), adjacency, nodes, hidden=hidden), model(features(), without, nodes)
        )

    def test_a_node_does_not_see_what_it_sends(self):
        adjacency, x = build_adjacency(GRAPH), features()
        sent = x.sent.clone()
        sent[4] += 1
        model = encoder(layers=1)
        one, two = (
            model(part, adjacency, torch.arange(6)) for part in (x, NodeFeatures(x.own, sent))
        )
        assert ((one - two).abs().sum(1) > 1e-4).tolist() == [False] * 3 + [True, False, False]

    @pytest.mark.parametrize(("relations", "same"), [(0, True), (4, False)])
    def test_only_edgegraphsage_sees_relations(self, relations, same):
        other = GRAPH.triplets.clone()
        other[:, 1] = 1 - other[:, 1]
        model = encoder(relations)
        one, two = (
            model(features(), build_adjacency(graph), torch.arange(5))
            for graph in (GRAPH, Graph(6, GRAPH.relations, other))
        )
        assert torch.allclose(one, two) == same

    def test_a_relations_message_is_the_mean_over_edges(self):
        """E-GraphSAGE's mean of W [h_u ; e_uv] by a loop over the edges."""
        layer = encoder(relations=4, layers=1).layers[0]
        x, adjacency = features().own, build_adjacency(GRAPH)
        weight = torch.cat([layer.conv.lin_l.weight, layer.relation.weight], dim=1)
        edges = range(adjacency.start[2], adjacency.start[3])
        one_hot = torch.eye(4)
        messages = [
            weight @ torch.cat([x[adjacency.source[e]], one_hot[adjacency.relation[e]]])
            for e in edges
        ]
        inner = torch.stack(messages).mean(0) + layer.conv.lin_l.bias + layer.conv.lin_r(x[2])
        expected = layer.skip(x[2]) + torch.relu(layer.norm(inner))
        block = (
            adjacency.start[2:4] - adjacency.start[2],
            adjacency.source[edges.start : edges.stop],
        )
        got = layer(x, x[2:3], *block, adjacency.relation[edges.start : edges.stop])[0]
        torch.testing.assert_close(got, expected)

    @pytest.mark.parametrize("relations", [0, 4])
    def test_a_node_alone_needs_no_graph(self, relations):
        model, x = encoder(relations), features()
        for dtype in (torch.float32, torch.bfloat16):
            own = x.own.to(dtype)
            with torch.autocast("cpu", torch.bfloat16, enabled=dtype is torch.bfloat16):
                among = model(NodeFeatures(own, own), build_adjacency(GRAPH), torch.tensor([5]))
                assert torch.equal(model.alone(own[5:]), among)


class TestFreeVectors:
    def model(self):
        torch.manual_seed(0)
        model = GraphEncoder(5, 5, 8, 2, 4, nodes=6)
        torch.nn.init.ones_(model.free)
        return model

    def added(self, model, generator=None):
        """What they add to each node of the graph."""
        plain = encoder()
        plain.load_state_dict(model.state_dict(), strict=False)
        rows, adjacency = torch.arange(6), build_adjacency(GRAPH)
        with_free = model(features(), adjacency, rows, generator=generator)
        return with_free - plain(features(), adjacency, rows)

    def test_linked_nodes_have_one(self):
        added = self.added(self.model().eval())
        torch.testing.assert_close(added[:5], torch.ones(5, 8))
        assert (added[5] == 0).all()

    def test_a_step_does_without_half_of_them(self):
        generator = torch.Generator().manual_seed(0)
        added = torch.stack([self.added(self.model().train(), generator) for _ in range(200)])
        share = added[:, :5, 0].mean(0)
        torch.testing.assert_close(share, torch.full((5,), 0.5), atol=0.12, rtol=0)
        assert (added[:, 5] == 0).all()
