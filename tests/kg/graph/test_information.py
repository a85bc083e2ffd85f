from itertools import combinations

import numpy as np
import polars as pl
import pytest

from kg.graph.information import Information
from kg.shared.errors import InputError

CUIS = ["A", "B", "C", "D1", "D2", "D3", "R"]
FACTS = [
    ("A", "is_a", "R"),
    ("B", "is_a", "A"),
    ("C", "is_a", "R"),
    ("D1", "has_phenotype", "B"),
    ("D2", "has_phenotype", "A"),
    ("D2", "has_phenotype", "C"),
    ("D3", "has_phenotype", "C"),
]
CLOSED = {"D1": {"B", "A", "R"}, "D2": {"A", "C", "R"}, "D3": {"C", "R"}}
ABOVE = {"A": {"A", "R"}, "B": {"B", "A", "R"}, "C": {"C", "R"}, "R": {"R"}}


@pytest.fixture
def information():
    triplets = pl.DataFrame(FACTS, schema=["head", "relation", "tail"], orient="row")
    return Information(pl.DataFrame({"cui": CUIS}), triplets)


def content(term):
    return -np.log(np.mean([term in closed for closed in CLOSED.values()]))


def test_content_is_that_of_the_closed_annotations(information):
    assert information.content[information.node["B"]] == pytest.approx(np.log(3))
    assert information.content[information.node["R"]] == 0
    # No disease has it as a finding.
    assert information.content[information.node["D1"]] == 0


@pytest.mark.parametrize("findings", [["B"], ["C", "A"], ["B", "C", "R"], []])
def test_similarity_is_the_mean_of_the_best_shared_term(information, findings):
    expected = [
        sum(max(content(t) for t in ABOVE[one] & CLOSED[d]) for one in findings)
        / max(1, len(findings))
        for d in information.diseases
    ]
    assert information.similarity(findings) == pytest.approx(expected)


@pytest.mark.parametrize("finding", ["A", "B", "C", "R"])
def test_what_is_in_common_is_the_shared_term_that_tells_the_most(information, finding):
    for disease, shared in zip(information.diseases, information.shared(finding), strict=True):
        terms = ABOVE[finding] & CLOSED[disease]
        best = max(terms, key=content)
        assert shared == pytest.approx(content(best))
        wanted = (best, pytest.approx(content(best))) if content(best) else None
        assert information.common(finding, disease) == wanted


def test_alike_is_the_share_of_common_information(information):
    alike = information.alike(information.diseases, information.diseases)
    assert np.diag(alike) == pytest.approx(1)
    for (i, one), (j, other) in combinations(enumerate(information.diseases), 2):
        common, either = (
            sum(map(content, terms))
            for terms in (CLOSED[one] & CLOSED[other], CLOSED[one] | CLOSED[other])
        )
        assert alike[i, j] == alike[j, i] == pytest.approx(common / either)


def test_findings_count_the_ancestors(information):
    assert information.findings(["D3", "D1"]).tolist() == [2, 3]


def test_a_graph_without_findings_is_an_error():
    triplets = pl.DataFrame(FACTS[:3], schema=["head", "relation", "tail"], orient="row")
    with pytest.raises(InputError, match="has_phenotype"):
        Information(pl.DataFrame({"cui": CUIS}), triplets)
