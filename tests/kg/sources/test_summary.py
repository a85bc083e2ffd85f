"""The summary of a graph is what one counts by hand."""

import json

import numpy as np
import polars as pl
import pytest
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from kg.graph.tables import CONCEPTS, TRIPLETS, node_numbers
from kg.shared.errors import InputError
from kg.sources.summary import _components, file_rows, graph_summary, summary_text


def _concepts(cuis: str) -> pl.DataFrame:
    rows = [(cui, f"name of {cui}", [f"{cui}1", f"{cui}2"], ["Disease"], None) for cui in cuis]
    return pl.DataFrame(rows, CONCEPTS, orient="row")


def _summary(concepts: pl.DataFrame, triplets: pl.DataFrame) -> dict:
    return graph_summary(concepts, triplets, node_numbers(concepts, triplets))


def _triplets(*rows: tuple[str, str, str, str]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), TRIPLETS, orient="row")


class TestSixConceptsInThreeComponents:
    @pytest.fixture
    def summary(self):
        triplets = _triplets(
            ("A", "isa", "B", "S1|S2"),
            ("B", "isa", "C", "S1"),
            ("A", "treats", "C", "S2"),
            ("D", "isa", "E", "S1"),
        )
        return _summary(_concepts("ABCDEF"), triplets)

    def test_counts_by_relation_and_source_largest_first(self, summary):
        assert list(summary["relations"].items()) == [("isa", 3), ("treats", 1)]
        assert list(summary["sources"].items()) == [("S1", 3), ("S2", 2)]
        assert summary["semantic_types"] == {"Disease": 6}
        assert (summary["concepts"], summary["triplets"], summary["synonyms"]) == (6, 4, 12)
        assert summary["definitions"] == 0

    def test_degrees_count_both_ends(self, summary):
        degree = summary["degree"]
        assert degree["histogram"] == {"0": 1, "1": 2, "2-3": 3}
        assert degree["maximum"] == 2
        assert degree["mean"] == pytest.approx(8 / 6, abs=1e-3)

    def test_components_ignore_direction(self, summary):
        assert summary["components"] == {"count": 3, "largest": 3, "single_concepts": 1}

    def test_is_json(self, summary):
        assert json.loads(json.dumps(summary)) == summary

    def test_text_names_every_number(self, summary):
        text = summary_text(summary)
        assert "treats" in text
        assert "single_concepts" in text


class TestGraphWithoutRows:
    def test_is_summarised(self):
        summary = _summary(pl.DataFrame(schema=CONCEPTS), pl.DataFrame(schema=TRIPLETS))
        assert summary["components"] == {"count": 0, "largest": 0, "single_concepts": 0}
        assert summary["relations"] == {}

    def test_concepts_without_triplets(self):
        summary = _summary(_concepts("AB"), pl.DataFrame(schema=TRIPLETS))
        assert summary["degree"]["histogram"] == {"0": 2}


class TestRowsOfAFile:
    def test_reasons_without_rows_are_left_out(self):
        assert file_rows(5, {"suppressed": 2, "language": 0}, 3) == {
            "read": 5,
            "dropped": {"suppressed": 2},
            "kept": 3,
        }

    def test_long_lists_are_cut_in_the_text_only(self):
        text = summary_text({"relations": {f"r{i:02}": i for i in range(30)}})
        assert "... 10 more in summary.json" in text


class TestEndsThatAreNoConcepts:
    @pytest.mark.parametrize("row", [("A", "isa", "X", "S"), ("X", "isa", "A", "S")])
    def test_the_first_is_named(self, row):
        triplets = _triplets(("A", "isa", "B", "S"), row, ("B", "isa", "A", "S"))
        with pytest.raises(InputError, match=r"of 1 of 3 triplets is not .*'X'"):
            node_numbers(_concepts("AB"), triplets)


@pytest.mark.parametrize("seed", range(20))
def test_components_are_those_of_scipy(seed):
    generator = np.random.default_rng(seed)
    nodes, edges = int(generator.integers(1, 300)), int(generator.integers(0, 400))
    heads, tails = generator.integers(0, nodes, (2, edges)).astype(np.int32)
    matrix = coo_matrix((np.ones(edges), (heads, tails)), shape=(nodes, nodes))
    count, labels = connected_components(matrix, directed=False)
    sizes = np.bincount(labels)
    expected = {"count": count, "largest": sizes.max(), "single_concepts": (sizes == 1).sum()}
    assert _components(heads, tails, nodes) == expected


@pytest.mark.parametrize("form", ["C{:07}", "X:{}"])
def test_ends_of_many_ids_have_their_rows(form):
    cuis = sorted(map(form.format, range(10_001)))
    rows = [(cui, cui, [], [], None) for cui in cuis]
    concepts = pl.DataFrame(rows, CONCEPTS, orient="row")
    triplets = _triplets((cuis[7], "isa", cuis[10_000], "S"), (cuis[8], "isa", cuis[0], "S"))
    heads, tails = node_numbers(concepts, triplets)
    assert (heads.tolist(), tails.tolist()) == ([7, 8], [10_000, 0])
    with pytest.raises(InputError, match=r"the tail of 1 of 1 triplets is not .*'Y'"):
        node_numbers(concepts, _triplets((cuis[7], "isa", "Y", "S")))
