import pytest

from kg.shared.errors import InputError
from kg.sources.phenopackets import Patient
from meg.config import RankConfig
from meg.datasets.cases import Cases
from meg.inference.diagnosis import Diseases
from meg.inference.likeliest import likeliest
from tests.meg.datasets.patient_graph import annotated_graph

GRAPH = annotated_graph()
OWN = tuple(GRAPH.annotations.filter(disease="OMIM:03")["finding"])


def found(*findings):
    patient = Patient("p", "", "", findings, (), ())
    diseases = Diseases(GRAPH, None, RankConfig())
    return likeliest(patient, Cases(GRAPH), diseases, None, RankConfig()), diseases


def test_ten_with_what_speaks_for_each():
    rows, diseases = found(*OWN)
    assert len(rows.diseases) == 10
    first = rows.diseases[0]
    assert (first.disease, first.name) == ("OMIM:03", diseases.names["OMIM:03"])
    content = [one.content for one in first.speaking]
    assert len(content) == 5
    assert content == sorted(content, reverse=True)
    # All of them are findings of the disease itself.
    assert all(one.finding == one.term for one in first.speaking)
    scores = [one.score for one in rows.diseases]
    assert scores == sorted(scores, reverse=True)


def test_a_finding_speaks_by_what_is_above_it():
    rows, diseases = found(*OWN)
    information, names = diseases.information, diseases.names
    for row in rows.diseases[1:]:
        for one in row.speaking:
            finding = next(cui for cui in OWN if names[cui] == one.finding)
            term, content = information.common(finding, row.disease)
            assert (one.term, one.content) == (names[term], content)
    shown = str(rows)
    assert any(f"(both: {names[cui]})" in shown for cui in names)


def test_says_what_it_is_by_and_what_it_is_not():
    shown = str(found(*OWN)[0])
    assert "by information, without an LLM" in shown
    assert "not medical advice" in shown


def test_a_patient_without_findings_of_the_graph_is_an_error():
    with pytest.raises(InputError, match="none of its 1 findings"):
        found("HP:unknown")
