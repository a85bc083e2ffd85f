"""Look-up encoders order answers as the models of PyG that they are made of."""

import pytest
import torch

from kg.config import LookupConfig
from kg.encoders.link_prediction import all_vectors, ranks_of, training_steps
from kg.encoders.lookup import LookupDecoder, LookupEncoder, lookup_model, pyg_model
from kg.evaluation.ranking import Answers
from kg.graph.sampling import build_adjacency
from kg.graph.split import Graph, Split
from tests.kg.encoder_run import LOOKUP

NODES, RELATIONS = 12, 2


def random_graph():
    generator = torch.Generator().manual_seed(0)
    ends = torch.randint(NODES, (2, 40), generator=generator)
    relation = torch.randint(RELATIONS, (40,), generator=generator)
    rows = torch.unique(torch.stack([ends[0], relation, ends[1]], dim=1), dim=0)
    return Graph(NODES, ("p", "q"), rows)


def trained_model(name):
    """With relations and scales that are not those of the start."""
    torch.manual_seed(0)
    model = pyg_model(name, NODES, 2 * RELATIONS, 8)
    for table in model.children():
        torch.nn.init.normal_(table.weight)
    decoder = LookupDecoder(model)
    torch.nn.init.normal_(decoder.scale)
    return model, LookupEncoder(model), decoder


def brute_force_rank(model, question, true):
    """By PyG's own score, one candidate after another; the mean place among equals."""
    node, relation, answer = question
    scores = {
        other: model(*(torch.tensor([i]) for i in (node, relation, other))).item()
        for other in range(NODES)
        if other == answer or (node, relation, other) not in true
    }
    right = scores.pop(answer)
    better = sum(score > right for score in scores.values())
    return 1 + better + sum(score == right for score in scores.values()) / 2


@pytest.mark.parametrize("name", LOOKUP)
def test_ranks_are_those_of_pyg_one_by_one(name):
    model, encoder, decoder = trained_model(name)
    graph = random_graph()
    with torch.inference_mode():
        keys = decoder.keys(encoder(None, build_adjacency(graph), torch.arange(NODES)))
        ranks = ranks_of(decoder, keys, graph, Answers([graph]))
        questions = [(h, r, t) for h, r, t in graph.triplets.tolist()]
        questions += [(t, r + RELATIONS, h) for h, r, t in graph.triplets.tolist()]
        expected = [brute_force_rank(model, one, set(questions)) for one in questions]
    assert ranks.tolist() == expected
    assert len(set(expected)) > 3


@pytest.mark.parametrize("name", LOOKUP)
def test_a_vector_has_dim_numbers(name):
    config = LookupConfig(encoder=name, dim=10)
    model = lookup_model(NODES, RELATIONS, config)
    adjacency = build_adjacency(random_graph())
    assert model.encoder(None, adjacency, torch.arange(3)).shape == (3, 10)


@pytest.mark.parametrize("name", LOOKUP)
def test_a_node_without_edges_keeps_its_start(name):
    rows = [[i, 0, (i + 3) % 6] for i in range(6)]
    graph = Graph(NODES, ("p",), torch.tensor(rows))
    none = graph.part(torch.zeros(0, dtype=torch.long))
    config = LookupConfig(
        encoder=name, dim=8, negatives=64, batch_size=3, epochs=5, learning_rate=0.05, bf16=False
    )
    before, _ = trained_on(Split(graph, none, none), config.model_copy(update={"epochs": 0}))
    after, _ = trained_on(Split(graph, none, none), config)
    for old, new in zip(before.encoder.parameters(), after.encoder.parameters(), strict=True):
        moved = (old != new).any(1)
        assert moved.tolist() == [True] * 6 + [False] * 6


@pytest.mark.parametrize("name", LOOKUP)
def test_a_relation_with_one_triplet_is_learned_by_heart(name):
    rows = [[i, 0, (i + 3) % NODES] for i in range(NODES)] + [[0, 1, 6]]
    graph = Graph(NODES, ("p", "q"), torch.tensor(rows))
    none = graph.part(torch.zeros(0, dtype=torch.long))
    config = LookupConfig(
        encoder=name,
        dim=16,
        negatives=64,
        batch_size=13,
        epochs=150,
        learning_rate=0.05,
        bf16=False,
    )
    model, adjacency = trained_on(Split(graph, none, none), config)
    keys = all_vectors(model, None, adjacency, bf16=False)
    ranks = ranks_of(model.decoder, keys, graph.part(torch.tensor([12])), Answers([graph]))
    assert ranks.tolist() == [1, 1]


def trained_on(split, config):
    adjacency = build_adjacency(split.train)
    torch.manual_seed(0)
    model = lookup_model(NODES, len(split.train.relations), config)
    optimizer = torch.optim.Adam(model.parameters(), lr=config.learning_rate)
    generator = torch.Generator().manual_seed(0)
    for _ in range(config.epochs):
        for loss in training_steps(
            model, split.train, features=None, adjacency=adjacency,
            config=config, generator=generator,
        ):  # fmt: skip
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return model, adjacency
