"""What a training step may and may not look at."""

import torch

from kg.config import SAGEConfig
from kg.encoders.graphsage import sage_model
from kg.encoders.inputs import NodeFeatures
from kg.encoders.link_prediction import _known, training_steps
from kg.evaluation.ranking import questions_of
from kg.graph.sampling import build_adjacency
from kg.graph.split import Graph


def random_graph(nodes=10, triplets=30):
    generator = torch.Generator().manual_seed(0)
    ends = torch.randint(nodes, (2, triplets), generator=generator)
    relation = torch.randint(2, (triplets,), generator=generator)
    rows = torch.stack([ends[0], relation, ends[1]], dim=1)
    return Graph(nodes, ("p", "q"), torch.unique(rows, dim=0))


def random_features(nodes):
    x = torch.randn(nodes, 5, generator=torch.Generator().manual_seed(1))
    return NodeFeatures(x, x)


def test_known_answers_among_the_negatives():
    graph = random_graph()
    questions = questions_of(graph)
    true = set(map(tuple, questions.tolist()))
    asked = torch.unique(questions[:, 0] * 4 + questions[:, 1])
    negatives = torch.tensor([3, 7, 3, 0])
    query, negative = _known(asked, negatives, build_adjacency(graph))
    expected = {
        (row, column)
        for row, key in enumerate(asked.tolist())
        for column, node in enumerate(negatives.tolist())
        if (key // 4, key % 4, node) in true
    }
    assert set(zip(query.tolist(), negative.tolist(), strict=True)) == expected


class TestStep:
    config = SAGEConfig(
        encoder="edgegraphsage",
        width=8,
        dim=8,
        spectral_dim=2,
        negatives=4,
        fanout=None,
        bf16=False,
    )

    def loss(self, batch, graph):
        features = random_features(graph.nodes)
        model = sage_model(5, 5, 2, self.config)
        generator = torch.Generator().manual_seed(2)
        return model(batch, features, build_adjacency(graph), self.config, generator)

    def test_a_batch_does_not_see_its_own_edges(self, monkeypatch):
        """Nor any other edge between its nodes: here q between 0 and 1 comes and goes."""
        drawn = torch.tensor([4, 5, 20]), torch.ones(3)
        monkeypatch.setattr("kg.encoders.link_prediction.draw_nodes", lambda *_: drawn)
        rows = torch.tensor([[0, 0, 1], [2, 0, 3], [1, 0, 3], [0, 1, 2], [1, 1, 0]])
        batch = Graph(30, ("p", "q"), rows[:1])
        without, parallel, fewer = (
            self.loss(batch, Graph(30, ("p", "q"), part)) for part in (rows[:4], rows, rows[:3])
        )
        torch.testing.assert_close(without, parallel)
        assert (without - fewer).abs() > 1e-6

    def test_one_pass_takes_every_triplet_once(self):
        graph = random_graph()
        seen = []

        class Recorder:
            def __call__(self, batch, *_):
                seen.extend(batch.triplets.tolist())
                return torch.zeros(())

        config = self.config.model_copy(update={"batch_size": 7})
        steps = training_steps(
            Recorder(), graph, features=random_features(10), adjacency=build_adjacency(graph),
            config=config, generator=torch.Generator().manual_seed(0),
        )  # fmt: skip
        assert len(list(steps)) == -(-len(graph) // 7)
        assert sorted(seen) == sorted(graph.triplets.tolist())

    def test_other_random_numbers_are_left_alone(self):
        torch.manual_seed(5)
        expected = torch.rand(1)
        torch.manual_seed(5)
        sage_model(5, 5, 2, self.config)
        assert torch.rand(1) == expected
