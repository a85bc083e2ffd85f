"""What is read off which part of a stored vector."""

import torch
from torch.nn import functional as F

from kg.evaluation.measures import measure
from kg.graph.split import Graph, split_graph


def seeded():
    return torch.Generator().manual_seed(0)


def ring(nodes=40):
    node = torch.arange(nodes)
    steps = [torch.stack([node, 0 * node + i, node.roll(i + 1)], dim=1) for i in range(3)]
    return split_graph(Graph(nodes, ("is_a", "b", "c"), torch.cat(steps)), 0.1, 0.2, seeded())


def test_large_graphs_are_asked_less(monkeypatch, caplog):
    split, vectors, types = ring(), torch.randn(40, 8, generator=seeded()), torch.zeros(40)
    text = torch.randn(40, 12, generator=seeded())

    def measured():
        score = lambda node, relation: torch.zeros(len(node), 40)  # noqa: E731
        found = measure(split, score, stored=vectors, text=text, types=types, generator=seeded())
        return found["link_prediction"], found["probes"]["stored"]["parent"]["n"]

    whole, parents = measured()
    is_parent = split.test.triplets[:, 1] == 0
    assert parents == is_parent.sum() > 5
    assert {"neighbours", "combined", "text_neighbours"} < set(whole)
    assert whole["test"]["n"] == 2 * len(split.test)
    monkeypatch.setattr("kg.evaluation.measures.MOST_ASKED", 5)
    monkeypatch.setattr("kg.evaluation.measures.MOST_COPIED", 39)
    part, parents = measured()
    assert parents < 5
    assert part["test"]["n"] == 10
    assert set(part) == {"test", "popularity", "text_cosine", "smoothed"}
    assert "40 nodes: links are not copied" in caplog.text
    assert "text is compressed to 8 numbers" in caplog.text
    assert part["text_cosine"]["mrr"] != whole["text_cosine"]["mrr"]


def test_parallel_relations_are_known_where_few_links_are_asked_for(monkeypatch):
    """Every pair has both relations, so neither answer is wrong."""
    pair = torch.stack([torch.arange(60), torch.arange(60).roll(7)], dim=1)
    rows = [torch.stack([pair[:, 0], 0 * pair[:, 0] + i, pair[:, 1]], dim=1) for i in range(2)]
    split = split_graph(Graph(60, ("a", "b"), torch.cat(rows)), 0.1, 0.3, seeded())
    monkeypatch.setattr("kg.evaluation.measures.MOST_ASKED", 12)
    nothing = lambda node, relation: torch.zeros(len(node), 60)  # noqa: E731
    vectors, types = torch.randn(60, 8, generator=seeded()), torch.zeros(60)
    found = measure(split, nothing, stored=vectors, text=vectors, types=types, generator=seeded())
    row = found["relation_classification"]["stored"]
    assert row == {"accuracy": 1.0, "macro": 1.0, "n": len(split.test)}


def test_the_map_to_the_parent_does_not_see_the_spectral_part():
    """Noise in a vector's last numbers changes the cosine and not the map."""
    turn = torch.linalg.qr(torch.randn(8, 8, generator=seeded())).Q
    children = F.normalize(torch.randn(300, 8, generator=seeded()), dim=1)
    child = torch.arange(300)
    is_a = torch.stack([child, torch.zeros_like(child), child + 300], dim=1)
    # Further links, as a node keeps one in training.
    node = torch.arange(600)
    other = torch.stack([node, torch.ones_like(node), node.roll(1)], dim=1)
    split = split_graph(Graph(600, ("is_a", "r"), torch.cat([is_a, other])), 0.1, 0.2, seeded())
    text = torch.cat([children, children @ turn])
    noise = torch.randn(600, 4, generator=seeded())

    def probes(stored, spectral):
        nothing = lambda node, relation: torch.zeros(len(node), 600)  # noqa: E731
        found = measure(
            split,
            nothing,
            stored=stored,
            text=text,
            types=0 * node,
            generator=seeded(),
            spectral=spectral,
        )
        return found["probes"]["stored"]

    plain = probes(text, 0)
    both = probes(torch.cat([text, noise], dim=1), 4)
    assert both["parent_by_map"] == plain["parent_by_map"]
    assert both["parent_by_map"]["mrr"] > 0.8
    assert both["parent"] != plain["parent"]


def test_semantic_types_are_read_off_each_kind_of_vectors():
    split, types = ring(), torch.arange(40) % 2
    stored, text = F.one_hot(types).float(), torch.ones(40, 8)
    nothing = lambda node, relation: torch.zeros(len(node), 40)  # noqa: E731
    found = measure(split, nothing, stored=stored, text=text, types=types, generator=seeded())
    assert found["probes"]["stored"]["semantic_type"] == 1
    assert found["probes"]["text"]["semantic_type"] < 1


def test_branches_do_not_depend_on_what_is_held_out(monkeypatch):
    """A root, four tops with 30 nodes below each; a ring of another relation."""
    node = torch.arange(125)
    parent = torch.where(node < 5, 0, 1 + node % 4)
    is_a = torch.stack([node, torch.zeros_like(node), parent], dim=1)[1:]
    other = torch.stack([node, torch.ones_like(node), node.roll(1)], dim=1)
    graph = Graph(125, ("is_a", "r"), torch.cat([is_a, other]))
    seen = []
    monkeypatch.setattr(
        "kg.evaluation.measures.class_accuracy", lambda _, classes, __: seen.append(classes)
    )
    nothing = lambda node, relation: torch.zeros(len(node), 125)  # noqa: E731
    for seed in range(4):
        split = split_graph(graph, 0.2, 0.3, torch.Generator().manual_seed(seed))
        vectors, types = torch.randn(125, 8, generator=seeded()), 0 * node
        measure(split, nothing, stored=vectors, text=vectors, types=types, generator=seeded())
    branches = seen[::2]
    assert (branches[0] >= 0).sum() == 124
    assert all(torch.equal(one, branches[0]) for one in branches)
