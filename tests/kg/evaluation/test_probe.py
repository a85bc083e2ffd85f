"""Probes that need no decoder, on vectors whose answers are known."""

import polars as pl
import pytest
import torch
from torch.nn import functional as F

from kg.evaluation.probe import (
    choice_accuracy,
    class_accuracy,
    mapped_parent_metrics,
    only_types,
    parent_metrics,
)
from kg.evaluation.ranking import Answers
from kg.graph.hierarchy import top_terms
from kg.graph.split import Graph


def seeded():
    return torch.Generator().manual_seed(0)


class TestChoice:
    heads = torch.arange(10)
    graph = Graph(20, ("r",), torch.stack([heads, torch.zeros(10).long(), heads + 10], dim=1))

    def test_equal_vectors_are_found(self):
        vectors = torch.eye(10).repeat(2, 1)
        assert choice_accuracy(vectors, self.graph, Answers([self.graph]), seeded()) == {"r": 1.0}

    def test_opposite_vectors_are_not(self):
        vectors = torch.cat([torch.eye(10), -torch.eye(10)])
        assert choice_accuracy(vectors, self.graph, Answers([self.graph]), seeded()) == {"r": 0.0}

    @pytest.mark.parametrize("tails", [6, 40])
    def test_random_vectors_are_at_chance(self, tails):
        """However many true answers there are, a question has three wrong options."""
        pairs = torch.cartesian_prod(
            torch.arange(900), torch.zeros(1).long(), 900 + torch.arange(tails)
        )
        answers = torch.rand(len(pairs), generator=seeded()) < 0.4
        graph = Graph(900 + tails, ("r",), pairs[answers])
        vectors = torch.randn(graph.nodes, 64, generator=seeded())
        accuracy = choice_accuracy(vectors, graph, Answers([graph]), seeded(), most=4000)["r"]
        assert accuracy == pytest.approx(0.25, abs=0.03)

    def test_what_has_no_three_wrong_tails_is_not_asked(self):
        """Everything answers every head."""
        rows = torch.cartesian_prod(torch.arange(5), torch.zeros(1).long(), 5 + torch.arange(5))
        graph = Graph(10, ("r",), rows)
        vectors = torch.randn(10, 4, generator=seeded())
        assert choice_accuracy(vectors, graph, Answers([graph]), seeded()) == {}


TREE = Graph(
    9,
    ("is_a", "r"),
    torch.tensor(
        [[1, 0, 0], [2, 0, 0], [3, 0, 1], [4, 0, 1], [5, 0, 2], [6, 0, 5], [6, 0, 4], [7, 1, 8]]
    ),
)
"""0 above 1 (3, 4) and 2 (5); 6 is below both; 7 and 8 are no part of it."""


class TestTopTerms:
    def test_members(self):
        top = top_terms(TREE)
        assert top[1] == top[3] == top[4] != -1
        assert top[2] == top[5] != top[1]
        assert top[[0, 6, 7, 8]].tolist() == [-1] * 4

    @pytest.mark.parametrize("names", [("isa", "r"), ("CHD", "isa"), ("CHD", "r")])
    def test_the_hierarchies_of_umls(self, names):
        """7 and 8 make one of their own where both relations are the hierarchy's."""
        top = top_terms(Graph(9, names, TREE.triplets))
        assert top.tolist() == top_terms(TREE).tolist()

    def test_in_parts(self, monkeypatch):
        whole = top_terms(TREE)
        monkeypatch.setattr("kg.graph.hierarchy.AT_ONCE", 1)
        assert torch.equal(top_terms(TREE), whole)

    def test_a_circle_has_no_top_terms(self):
        circle = Graph(3, ("is_a",), torch.tensor([[0, 0, 1], [1, 0, 2], [2, 0, 0]]))
        assert top_terms(circle).tolist() == [-1, -1, -1]

    def test_a_graph_without_a_hierarchy(self):
        other = Graph(9, ("q", "r"), TREE.triplets)
        top = top_terms(other)
        assert (top == -1).all()
        assert class_accuracy(torch.randn(9, 3), top, seeded()) is None
        assert parent_metrics(torch.randn(9, 3), other, other) is None

    def test_a_linear_probe(self):
        branch = torch.arange(200) % 4
        vectors = torch.eye(4)[branch] + 0.1 * torch.randn(200, 4, generator=seeded())
        assert class_accuracy(vectors, branch, seeded()) == 1
        assert class_accuracy(torch.randn(200, 4, generator=seeded()), branch, seeded()) < 0.6


class TestSemanticTypes:
    def test_only_concepts_of_one_type_have_a_class(self):
        types = [["gene"], ["disease"], [], ["gene", "disease"], ["gene"]]
        found = only_types(pl.DataFrame({"semantic_types": types}))
        assert found.tolist() == [1, 0, -1, -1, 1]

    def test_one_type_tells_nothing(self):
        types = only_types(pl.DataFrame({"semantic_types": [["gene"]] * 9}))
        assert class_accuracy(torch.randn(9, 3), types, seeded()) is None

    def test_of_many_concepts_a_part_is_classified(self, monkeypatch):
        classes = torch.arange(200) % 2
        vectors = torch.randn(200, 4, generator=seeded())
        vectors[seeded_order(200)[:40]] = torch.eye(4)[classes[seeded_order(200)[:40]]]
        monkeypatch.setattr("kg.evaluation.probe.MOST_CLASSIFIED", 40)
        assert class_accuracy(vectors, classes, seeded()) == 1


def seeded_order(count):
    return torch.randperm(count, generator=seeded())


def test_parents_by_cosine():
    vectors = torch.eye(9)
    vectors[3] = vectors[1]
    metrics = parent_metrics(vectors, TREE.part(torch.tensor([2])), TREE)
    assert metrics["n"] == 1
    assert metrics["mrr"] == 1


def test_a_parent_by_either_relation_of_a_hierarchy_is_no_wrong_answer():
    """UMLS names them isa and CHD: 1 is a parent of 0 by both, 2 by the other one only."""
    edges = torch.tensor([[0, 0, 1], [0, 1, 1], [0, 1, 2]])
    graph = Graph(4, ("CHD", "isa"), edges)
    vectors = torch.tensor([[1.0, 0.0], [0.8, 0.6], [0.9, 0.1], [0.0, 1.0]])
    assert parent_metrics(vectors, graph.part(torch.tensor([0, 1])), graph) == {
        "mrr": 1, "hits@1": 1, "hits@3": 1, "hits@10": 1, "n": 1
    }  # fmt: skip


class TestParentsByAMap:
    def halves(self):
        """Node i's parent is i + 100: its vector, turned."""
        turn = torch.linalg.qr(torch.randn(8, 8, generator=seeded())).Q
        children = F.normalize(torch.randn(100, 8, generator=seeded()), dim=1)
        child = torch.arange(100)
        triplets = torch.stack([child, torch.zeros_like(child), child + 100], dim=1)
        return torch.cat([children, children @ turn]), Graph(200, ("is_a",), triplets)

    def test_what_cosine_cannot_see(self):
        vectors, graph = self.halves()
        train, asked = graph.part(torch.arange(80)), graph.part(torch.arange(80, 100))
        assert mapped_parent_metrics(vectors, train, asked, graph)["mrr"] > 0.9
        assert parent_metrics(vectors, asked, graph)["mrr"] < 0.2

    def test_of_many_pairs_some_are_fitted_to(self, monkeypatch):
        vectors, graph = self.halves()
        some, asked = graph.part(torch.arange(0, 80, 3)), graph.part(torch.arange(80, 100))
        expected = mapped_parent_metrics(vectors, some, asked, graph)
        monkeypatch.setattr("kg.evaluation.probe.MOST_MAPPED", 30)
        train = graph.part(torch.arange(80))
        assert mapped_parent_metrics(vectors, train, asked, graph) == expected

    def test_without_a_hierarchy(self):
        other = Graph(9, ("q", "r"), TREE.triplets)
        vectors = torch.randn(9, 3, generator=seeded())
        assert mapped_parent_metrics(vectors, other, other, other) is None
