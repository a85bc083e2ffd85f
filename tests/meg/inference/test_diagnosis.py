import numpy as np
import pytest

from kg.graph.information import Information
from kg.shared.errors import InputError
from meg.config import RankConfig
from meg.inference.diagnosis import Candidates, Diseases, added, best
from meg.prompts.vectors import Vectors
from tests.meg.datasets.patient_graph import DISEASES, annotated_graph, patient_store

GRAPH = annotated_graph()
FINDINGS = ["HP:03", "HP:11", "HP:42"]


@pytest.fixture(scope="module")
def vectors(tmp_path_factory):
    return Vectors(patient_store(tmp_path_factory.mktemp("store") / "embeddings.h5", GRAPH))


def standard(scores):
    return (scores - scores.mean()) / scores.std()


def test_scores_are_information_cosine_and_their_sum(vectors):
    diseases = Diseases(GRAPH, vectors, RankConfig(weight=0.25))
    assert len(diseases.cuis) == DISEASES
    found = diseases.scores(FINDINGS)
    information = Information(GRAPH.concepts, GRAPH.triplets)
    similarity = information.similarity(FINDINGS)
    wanted = np.array([similarity[information.row(cui)] for cui in diseases.cuis])
    assert found["information"] == pytest.approx(wanted)
    patient, *others = vectors([tuple(FINDINGS), *diseases.cuis])
    cosines = [one @ patient / np.linalg.norm(one) / np.linalg.norm(patient) for one in others]
    assert found["vectors"] == pytest.approx(cosines, abs=1e-6)
    assert found["both"] == pytest.approx(
        0.75 * standard(found["information"]) + 0.25 * standard(found["vectors"])
    )


def test_without_vectors_there_is_information_alone():
    assert list(Diseases(GRAPH, None, RankConfig()).scores(FINDINGS)) == ["information"]


def test_only_diseases_of_the_catalogue_that_have_a_vector(vectors, store):
    assert Diseases(GRAPH, vectors, RankConfig()).place["OMIM:01"] == 1
    with pytest.raises(InputError, match="catalogue ORPHA"):
        Diseases(GRAPH, vectors, RankConfig(catalogue="ORPHA"))
    # The store of another graph.
    with pytest.raises(InputError, match="store of this graph"):
        Diseases(GRAPH, Vectors(store), RankConfig())


def test_equal_scores_add_nothing():
    one = np.array([1.0, 3.0])
    assert added(one, np.array([2.0, 2.0]), 0.5).tolist() == [-0.5, 0.5]


def test_candidates_are_the_best_and_the_others_come_behind():
    candidates = best(np.array([0.1, 0.9, 0.5, 0.9]), 3)
    assert candidates.places.tolist() == [1, 3, 2]
    assert [candidates.rank(place, 3.0) for place in (1, 3, 2)] == [1.5, 1.5, 3]
    # Its place by the scores that chose them is not before theirs.
    assert (candidates.rank(0, 3.0), candidates.rank(0, 7.0)) == (4, 7)


def test_named_candidates_are_the_first():
    diseases = Diseases(GRAPH, None, RankConfig())
    candidates = Candidates(np.array([2, 0, 1]), np.array([0.5, 0.25, 0.0]))
    assert diseases.named(candidates, 2) == [("OMIM:02", 0.5), ("OMIM:00", 0.25)]
