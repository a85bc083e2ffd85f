from collections import Counter

import pytest

from kg.shared.errors import InputError
from meg.datasets.cases import CITED, UNCITED
from meg.datasets.patients import read
from meg.datasets.settings import PatientsConfig
from tests.kg.sources.phenopackets import packet, write_packets
from tests.meg.datasets.patient_graph import TESTED, annotated_graph, patient_packets

GRAPH = annotated_graph()
SIZES = {"train": 30, "dev": 10}
HAVE = {f"OMIM:{i:02}" for i in range(TESTED)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_packets(tmp_path_factory.mktemp("cases"), patient_packets(GRAPH))


@pytest.fixture(scope="module")
def splits(folder):
    return read(PatientsConfig(path=folder, papers="all", **SIZES), GRAPH)


def cuis(question):
    """cuis of the options."""
    return [found[0].candidates[0].cui for found in question.mentions.options]


def test_a_patient_is_of_a_cited_paper_or_not(splits, folder):
    assert Counter(one.kind for one in splits.test) == {UNCITED: 2 * TESTED, CITED: TESTED}
    uncited = read(PatientsConfig(path=folder, **SIZES), GRAPH)
    assert {one.kind for one in uncited.test} == {UNCITED}
    assert uncited.facts["cases"] == {
        "read": 3 * TESTED,
        "dropped": {CITED: TESTED, "beyond per_disease": 0},
        "kept": 2 * TESTED,
        "diseases": TESTED,
    }


def test_options_are_tested_diseases_the_right_one_where_the_answer_says(splits):
    for question in splits.test:
        options = cuis(question)
        assert len(set(options)) == 4
        assert set(options) <= HAVE
        number = question.id.removeprefix("patient-").partition("-")[0]
        assert options[question.answer] == f"OMIM:{number}"
    places = Counter(question.answer for question in splits.test)
    assert set(places.values()) == {len(splits.test) // 4}


def test_nothing_is_learned_of_a_tested_disease_nor_of_a_dev_one(splits):
    of = {
        name: {cui for question in getattr(splits, name) for cui in cuis(question)}
        for name in ("train", "dev")
    }
    assert not HAVE & (of["train"] | of["dev"])
    assert not of["train"] & of["dev"]
    assert [len(getattr(splits, name)) for name in SIZES] == [30, 10]


def test_mentions_stand_where_the_names_are(splits):
    names = dict(zip(GRAPH.concepts["cui"], GRAPH.concepts["name"], strict=True))
    for _, questions in splits:
        for question in questions:
            for mention in question.mentions.stem:
                cui = mention.candidates[0].cui
                assert question.stem[mention.start : mention.end] == names[cui]
            # The absent finding is told, and is no mention.
            told = question.stem.partition("Not found")[0]
            assert all(mention.end <= len(told) for mention in question.mentions.stem)
    assert all("Not found: finding 0." in question.stem for question in splits.test)


def test_the_seed_decides(splits, folder):
    config = PatientsConfig(path=folder, papers="all", **SIZES)
    again = read(config, GRAPH)
    assert (again.train, again.dev, again.test) == (splits.train, splits.dev, splits.test)
    other = read(config.model_copy(update={"seed": 1}), GRAPH)
    assert other.test != splits.test
    assert other.train != splits.train


def test_few_findings_and_many_patients_are_left_out(folder):
    config = PatientsConfig(path=folder, papers="all", per_disease=1, findings=2, **SIZES)
    found = read(config, GRAPH)
    # One of each disease and kind of paper.
    assert len(found.test) == 2 * TESTED
    assert {len(question.mentions.stem) for question in found.test} == {2}
    with pytest.raises(InputError, match=r"none of 60 patients .*fewer than 6 findings"):
        read(PatientsConfig(path=folder, papers="all", min_findings=6), GRAPH)


def test_what_cannot_be_asked_about_is_named_or_counted(tmp_path):
    cases = [
        *patient_packets(GRAPH),
        packet("gone", "OMIM:99", ("HP:01", "HP:02", "HP:03")),
        packet("few", "OMIM:01", ("HP:old", "HP:59", "HP:98", "OMIM:02"), paper="PMID:x"),
    ]
    folder = write_packets(tmp_path, cases)
    (folder / "broken.json").write_text("{", encoding="utf-8")
    found = read(PatientsConfig(path=folder, **SIZES), GRAPH)
    (problem,) = found.problems
    assert (problem.split, problem.id, problem.kept) == ("test", "broken.json", False)
    assert found.facts["cases"]["dropped"] == {
        "disease without findings in the graph": 1,
        "fewer than 3 findings in the graph": 1,
        CITED: TESTED,
        "beyond per_disease": 0,
    }


def test_too_few_diseases_to_choose_among(tmp_path):
    folder = write_packets(tmp_path, patient_packets(GRAPH)[:9])
    with pytest.raises(InputError, match=r"the test patients have 3 diseases, expected 4"):
        read(PatientsConfig(path=folder), GRAPH)


def test_shortcuts_are_told(splits):
    assert set(splits.facts["shortcuts"]) == {"test", "dev", "train"}
