"""Tables as integers and the split for link prediction."""

import polars as pl
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.graph.split import Graph, build_graph, split_graph
from kg.shared.errors import InputError


def tables(cuis, rows):
    triplets = pl.DataFrame(
        [(*row, "x") for row in rows],
        schema={name: pl.String for name in ("head", "relation", "tail", "source")},
        orient="row",
    )
    return pl.DataFrame({"cui": cuis}), triplets


class TestBuilding:
    def test_nodes_are_rows_of_the_concepts(self):
        graph = build_graph(*tables(["a", "b", "c"], [("c", "r", "a"), ("a", "q", "b")]))
        assert graph.nodes == 3
        assert graph.relations == ("q", "r")
        assert graph.triplets.tolist() == [[0, 0, 1], [2, 1, 0]]

    def test_duplicates_count_once(self):
        assert len(build_graph(*tables(["a", "b"], [("a", "r", "b")] * 3))) == 1

    def test_an_empty_graph(self):
        with pytest.raises(InputError, match="no triplets"):
            build_graph(*tables(["a"], []))

    def test_an_end_that_is_no_concept(self):
        with pytest.raises(InputError, match="tail of 1 of 1"):
            build_graph(*tables(["a"], [("a", "r", "z")]))


def random_graph(nodes, seed):
    generator = torch.Generator().manual_seed(seed)
    count = 4 * nodes
    ends = torch.randint(nodes, (2, count), generator=generator)
    relation = torch.randint(3, (count,), generator=generator)
    rows = torch.stack([ends[0], relation, ends[1]], dim=1)
    return Graph(nodes, ("p", "q", "r"), torch.unique(rows, dim=0))


class TestSplit:
    @settings(max_examples=30, deadline=None)
    @given(st.integers(12, 40), st.integers(0, 1000))
    def test_nothing_leaks_and_nobody_is_left_out(self, nodes, seed):
        graph = random_graph(nodes, seed)
        split = split_graph(graph, 0.1, 0.2, torch.Generator().manual_seed(seed))
        parts = (split.train, split.validation, split.test)
        together = torch.cat([part.triplets for part in parts])
        assert torch.equal(torch.unique(together, dim=0), graph.triplets)
        pairs = [set(part.pairs.tolist()) for part in parts]
        assert len(set().union(*pairs)) == sum(map(len, pairs))
        linked = torch.unique(graph.triplets[:, [0, 2]])
        assert torch.equal(torch.unique(split.train.triplets[:, [0, 2]]), linked)

    def test_sizes(self):
        heads, tails = torch.meshgrid(torch.arange(40), torch.arange(40), indexing="ij")
        rows = torch.stack([heads, torch.zeros_like(heads), tails], dim=-1)[heads < tails]
        split = split_graph(Graph(40, ("r",), rows), 0.1, 0.2, torch.Generator().manual_seed(0))
        assert [len(split.train), len(split.validation), len(split.test)] == [546, 78, 156]

    @pytest.mark.parametrize("seed", range(20))
    def test_a_loop_is_not_the_pair_that_a_node_keeps(self, seed):
        """Node 9 has a loop and one link."""
        rows = torch.cartesian_prod(torch.arange(9), torch.zeros(1).long(), torch.arange(9))
        rows = torch.cat([rows[rows[:, 0] < rows[:, 2]], torch.tensor([[9, 0, 9], [9, 0, 0]])])
        split = split_graph(Graph(10, ("r",), rows), 0.2, 0.4, torch.Generator().manual_seed(seed))
        assert {(9, 0, 9), (9, 0, 0)} <= set(map(tuple, split.train.triplets.tolist()))

    def test_a_star_cannot_be_split(self):
        star = Graph(5, ("r",), torch.tensor([[0, 0, leaf] for leaf in range(1, 5)]))
        with pytest.raises(InputError, match="can be held out"):
            split_graph(star, 0.1, 0.1, torch.Generator())
