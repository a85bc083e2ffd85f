"""Published patients: GA4GH phenopackets (v2, JSON) of a folder or a zip, as one type.

A phenopacket tells what was found in one patient and what was looked for and not found, the
diagnosis that was made, and the paper that it is from
(https://phenopacket-schema.readthedocs.io/en/2.0.0). Only what the pipeline asks about is read;
whatever else a file holds is passed over.
"""

import codecs
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

from pydantic import BaseModel, Field, ValidationError

from kg.shared.errors import InputError

__all__ = ["Patient", "Unread", "papers_of", "read_phenopacket", "read_phenopackets"]

LARGEST = 16 * 2**20
"""Bytes of one file: a published patient has some 10 kB, a file of more is none."""


@dataclass(frozen=True)
class Patient:
    """One case. `disease` is the diagnosis; `findings` and `absent` are ids of HPO terms in the
    order of the file, each once; `age` is an ISO 8601 duration at the last encounter, `sex` as the
    schema writes it (FEMALE...), either empty where it is not told."""

    id: str
    disease: str
    disease_name: str
    findings: tuple[str, ...]
    absent: tuple[str, ...]
    papers: tuple[str, ...]
    sex: str = ""
    age: str = ""


@dataclass(frozen=True)
class Unread:
    """A file that gives no patient, and why."""

    file: str
    reason: str


def read_phenopackets(path: Path) -> tuple[list[Patient], list[Unread]]:
    """Patients in the order of their files' names, and the files that give none.

    `path`: a phenopacket, a folder of them at any depth, or a zip of such a folder. Raises
    InputError where it is missing or holds no readable phenopacket.
    """
    patients, unread = [], []
    for name, opened, size in _files(path):
        try:
            patients.append(_patient(_content(opened, size)))
        except (ValueError, zipfile.BadZipFile) as error:
            unread.append(Unread(name, _reason(error)))
    if not patients:
        first = f" (first {unread[0].file}: {unread[0].reason})" if unread else ""
        raise InputError(
            f"{path} holds no patient with a diagnosis in {len(unread)} JSON files{first}; give "
            "GA4GH phenopackets of version 2 (data/README.md says where to get some)"
        )
    return patients, unread


def read_phenopacket(path: Path) -> Patient:
    """The patient of one file; `disease` is empty where none was diagnosed.

    Raises InputError where the file is missing or no phenopacket of version 2.
    """
    if not path.is_file():
        raise InputError(f"{path} is no file; give the phenopacket of one patient (JSON)")
    try:
        return _patient(_content(_opened(path), path.stat().st_size), diagnosed=False)
    except ValueError as error:
        raise InputError(
            f"{path} is no phenopacket of version 2 with one patient ({_reason(error)}); see "
            "https://phenopacket-schema.readthedocs.io"
        ) from error


def papers_of(path: Path) -> frozenset[str]:
    """The papers (PMID:...) that the patients of `path` are from."""
    return frozenset(paper for patient in read_phenopackets(path)[0] for paper in patient.papers)


class _Term(BaseModel):
    id: str = Field(min_length=1)
    label: str = ""


class _Feature(BaseModel):
    type: _Term
    excluded: bool = False


class _Age(BaseModel):
    iso8601duration: str = ""


class _Time(BaseModel):
    age: _Age = _Age()


class _Subject(BaseModel):
    sex: str = ""
    timeAtLastEncounter: _Time = _Time()


class _Diagnosis(BaseModel):
    disease: _Term | None = None


class _Interpretation(BaseModel):
    diagnosis: _Diagnosis = _Diagnosis()


class _Reference(BaseModel):
    id: str = ""


class _MetaData(BaseModel):
    externalReferences: tuple[_Reference, ...] = ()


class _Phenopacket(BaseModel):
    id: str = Field(min_length=1)
    subject: _Subject = _Subject()
    phenotypicFeatures: tuple[_Feature, ...] = ()
    interpretations: tuple[_Interpretation, ...] = ()
    metaData: _MetaData = _MetaData()


def _reason(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors()[0]
    where = ".".join(map(str, first["loc"])) or "file"
    return f"{where}: {first['msg']}"


def _patient(content: bytes, diagnosed: bool = True) -> Patient:
    """Raises ValueError where the file is no phenopacket or names several diagnoses.

    So it does where it names none, but for a patient that need not be `diagnosed`.
    """
    packet = _Phenopacket.model_validate_json(content.removeprefix(codecs.BOM_UTF8))
    found = {
        one.diagnosis.disease.id: one.diagnosis.disease
        for one in packet.interpretations
        if one.diagnosis.disease is not None
    }
    if len(found) > 1 or (diagnosed and not found):
        raise ValueError(f"{len(found)} diagnoses, expected one")
    disease = next(iter(found.values()), None)
    terms = {
        excluded: dict.fromkeys(
            one.type.id for one in packet.phenotypicFeatures if one.excluded == excluded
        )
        for excluded in (False, True)
    }
    return Patient(
        id=packet.id,
        disease=disease.id if disease else "",
        disease_name=disease.label if disease else "",
        findings=tuple(terms[False]),
        absent=tuple(id for id in terms[True] if id not in terms[False]),
        papers=tuple(dict.fromkeys(one.id for one in packet.metaData.externalReferences if one.id)),
        sex=packet.subject.sex,
        age=packet.subject.timeAtLastEncounter.age.iso8601duration,
    )


Opened = Callable[[], IO[bytes]]


def _files(path: Path) -> Iterator[tuple[str, Opened, int]]:
    """Name, how to open it, and size of each JSON file, in the order of the names."""
    if path.is_dir():
        for file in sorted(path.rglob("*.json")):
            yield str(file.relative_to(path)), _opened(file), file.stat().st_size
    elif zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for member in sorted(archive.infolist(), key=lambda one: one.filename):
                if member.filename.endswith(".json"):
                    yield member.filename, partial(archive.open, member), member.file_size
    elif path.is_file():
        yield path.name, _opened(path), path.stat().st_size
    else:
        raise InputError(f"{path} does not exist; data/README.md says where to get phenopackets")


def _opened(file: Path) -> Opened:
    return lambda: file.open("rb")


def _content(opened: Opened, size: int) -> bytes:
    """Never more than `LARGEST`, whatever a zip says of a member's size."""
    with opened() as file:
        content = file.read(LARGEST + 1)
    if max(size, len(content)) > LARGEST:
        raise ValueError(f"{size} bytes, expected at most {LARGEST}")
    return content
