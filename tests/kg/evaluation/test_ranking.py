"""Filtered realistic ranks against a loop."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.evaluation.baselines import cosine_scorer, popularity_scorer
from kg.evaluation.ranking import Answers, filtered_ranks, questions_of, rank_metrics
from kg.graph.split import Graph

RELATIONS = ("p", "q")


def random_graph(seed, nodes=12, triplets=40):
    generator = torch.Generator().manual_seed(seed)
    ends = torch.randint(nodes, (2, triplets), generator=generator)
    relation = torch.randint(2, (triplets,), generator=generator)
    rows = torch.stack([ends[0], relation, ends[1]], dim=1)
    return Graph(nodes, RELATIONS, torch.unique(rows, dim=0))


def rank_by_loop(node, relation, answer, table, graph):
    true = {(h, r, t) for h, r, t in graph.triplets.tolist()} | {
        (t, r + 2, h) for h, r, t in graph.triplets.tolist()
    }
    score = table[node, relation, answer]
    others = [
        table[node, relation, other]
        for other in range(graph.nodes)
        if other != answer and (node, relation, other) not in true
    ]
    best = 1 + sum(other > score for other in others)
    worst = 1 + sum(other >= score for other in others)
    return (best + worst) / 2


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000), st.sampled_from([1, 3, 100]))
def test_ranks_equal_a_loop(seed, chunk):
    graph = random_graph(seed)
    # Whole numbers, so that ties are frequent.
    generator = torch.Generator().manual_seed(seed)
    table = torch.randint(4, (12, 4, 12), generator=generator).float()
    questions = questions_of(graph)
    ranks = filtered_ranks(questions, lambda n, r: table[n, r].clone(), Answers([graph]), chunk)
    expected = [rank_by_loop(*row, table, graph) for row in questions.tolist()]
    assert ranks.tolist() == expected


def test_answers_of_all_graphs_are_filtered():
    train = Graph(4, ("r",), torch.tensor([[0, 0, 1]]))
    test = Graph(4, ("r",), torch.tensor([[0, 0, 2]]))
    table = torch.tensor([0.0, 9.0, 5.0, 7.0])
    score = lambda node, relation: table.expand(len(node), 4).clone()  # noqa: E731
    question = questions_of(test)[:1]
    assert filtered_ranks(question, score, Answers([train, test])).tolist() == [2]
    assert filtered_ranks(question, score, Answers([test])).tolist() == [3]


@pytest.mark.parametrize("place", [slice(None), slice(3, 4)])
def test_scores_that_are_not_numbers_are_refused(place):
    """The right answer's, or another's: it would count as worse."""
    graph = random_graph(0)

    def broken(node, relation):
        scores = torch.zeros(len(node), 12)
        scores[:, place] = torch.nan
        return scores

    with pytest.raises(ValueError, match="not finite"):
        filtered_ranks(questions_of(graph), broken, Answers([graph]))


def test_metrics():
    metrics = rank_metrics(torch.tensor([1.0, 2.0, 4.0, 20.0]))
    assert metrics == pytest.approx(
        {"mrr": 0.45, "hits@1": 0.25, "hits@3": 0.5, "hits@10": 0.75, "n": 4}
    )


class TestBaselines:
    graph = Graph(5, ("r",), torch.tensor([[0, 0, 3], [1, 0, 3], [2, 0, 4]]))
    vectors = torch.tensor([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0], [-1.0, 0.1], [0.1, 1.0]])

    def test_the_popular_answer(self):
        scores = popularity_scorer(self.graph)(torch.tensor([0, 0]), torch.tensor([0, 1]))
        assert scores.tolist() == [[0, 0, 0, 2, 1], [1, 1, 1, 0, 0]]

    @pytest.mark.parametrize("seed", range(3))
    def test_popularity_is_a_count(self, seed):
        """Of the last relation there is no triplet."""
        generator = torch.Generator().manual_seed(seed)
        head, tail = torch.randint(9, (2, 30), generator=generator)
        relation = torch.randint(2, (30,), generator=generator)
        graph = Graph(9, ("a", "b", "c"), torch.stack([head, relation, tail], dim=1))
        asked = torch.tensor([1, 0, 5, 3, 2, 1, 4])
        scores = popularity_scorer(graph)(torch.zeros_like(asked), asked)
        for code, row in zip(asked.tolist(), scores, strict=True):
            answers = (tail if code < 3 else head)[relation == code % 3]
            assert row.tolist() == [int((answers == node).sum()) for node in range(9)]

    def test_the_similar_answer_is_not_the_node_itself(self):
        scores = cosine_scorer(self.vectors)(torch.tensor([0, 2]), torch.tensor([0, 0]))
        assert scores.argmax(1).tolist() == [1, 4]
        assert scores[0, 0] == -torch.inf
