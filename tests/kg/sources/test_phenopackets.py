import json
import zipfile

import pytest

from kg.shared.errors import InputError
from kg.sources import phenopackets
from kg.sources.phenopackets import papers_of, read_phenopacket, read_phenopackets
from tests.kg.sources.phenopackets import packet, write_packets


@pytest.fixture
def folder(tmp_path):
    packets = [
        packet("b", "OMIM:2", ("HP:1",), paper="PMID:2"),
        packet(
            "a",
            "OMIM:1",
            ("HP:2", "HP:1", "HP:2"),
            ("HP:3", "HP:1"),
            sex="FEMALE",
            timeAtLastEncounter={"age": {"iso8601duration": "P4Y"}},
        ),
    ]
    return write_packets(tmp_path / "cases", packets)


def test_findings_stand_once_and_never_among_the_absent(folder):
    patients, unread = read_phenopackets(folder)
    assert not unread
    assert [one.id for one in patients] == ["a", "b"]
    first = patients[0]
    assert (first.findings, first.absent) == (("HP:2", "HP:1"), ("HP:3",))
    assert (first.disease, first.sex, first.age, first.papers) == (
        "OMIM:1",
        "FEMALE",
        "P4Y",
        ("PMID:1",),
    )


def test_a_zip_holds_the_same_patients(folder, tmp_path):
    path = tmp_path / "cases.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*.json")):
            archive.write(file, f"0.1/{file.name}")
        archive.writestr("0.1/README.md", "no case")
    assert read_phenopackets(path) == read_phenopackets(folder)
    assert papers_of(path) == {"PMID:1", "PMID:2"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "Invalid JSON"),
        ("[]", "file"),
        (json.dumps({"id": "c", "phenotypicFeatures": [{"type": {}}]}), "type.id"),
        (json.dumps({"id": "c"}), "0 diagnoses, expected one"),
    ],
)
def test_what_is_no_patient_is_named(folder, text, reason):
    (folder / "broken.json").write_text(text, encoding="utf-8")
    patients, unread = read_phenopackets(folder)
    assert len(patients) == 2
    (one,) = unread
    assert one.file == "broken.json"
    assert reason in one.reason


def test_two_diagnoses_are_none(folder):
    case = packet("c", "OMIM:1", ("HP:1",))
    case["interpretations"] *= 2
    assert len(read_phenopackets(write_packets(folder, [case]))[0]) == 3
    case["interpretations"] = [
        *case["interpretations"],
        *packet("d", "OMIM:9", ())["interpretations"],
    ]
    _, unread = read_phenopackets(write_packets(folder, [case]))
    assert unread[0].reason == "2 diagnoses, expected one"


def test_a_huge_file_is_not_read(folder, monkeypatch):
    monkeypatch.setattr(phenopackets, "LARGEST", 10)
    with pytest.raises(InputError, match=r"no patient .* expected at most 10"):
        read_phenopackets(folder)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(InputError, match=r"nowhere does not exist.*data/README"):
        read_phenopackets(tmp_path / "nowhere")


class TestOne:
    def test_needs_no_diagnosis(self, tmp_path):
        path = tmp_path / "case.json"
        undiagnosed = packet("a", "OMIM:1", ("HP:1",)) | {"interpretations": []}
        path.write_text(json.dumps(undiagnosed), encoding="utf-8")
        patient = read_phenopacket(path)
        assert (patient.id, patient.disease, patient.findings) == ("a", "", ("HP:1",))
        # Among the tested ones it is no patient.
        with pytest.raises(InputError, match="0 diagnoses"):
            read_phenopackets(path)

    @pytest.mark.parametrize("content", ["{", '{"subject": {}}', None])
    def test_must_be_a_phenopacket(self, tmp_path, content):
        path = tmp_path / "case.json"
        if content is not None:
            path.write_text(content, encoding="utf-8")
        with pytest.raises(InputError, match=r"case\.json is no "):
            read_phenopacket(path)
