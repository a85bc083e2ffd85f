"""Sections of the data sets: which one, and how it is read or made.

Like `meg.config` it imports nothing heavy, so that the Snakefile can validate a config in a moment.
"""

import re
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import Field, field_validator

from kg.shared.command import Section

__all__ = [
    "FileConfig",
    "GraphQuizConfig",
    "HPOQuizConfig",
    "MMLUConfig",
    "MedMCQAConfig",
    "MedQAConfig",
    "PatientsConfig",
    "PubMedQAConfig",
    "QuestionsConfig",
    "QuizConfig",
    "QuizKind",
    "Words",
]

Repeated = Literal["keep", "drop"]
REPEATED = (
    "questions whose text and options, in their order, stood before in the same part (of MMLU: of "
    "the same subject): kept, or left out as the published code does"
)

QuizKind = Literal["is_a", "phenotype", "disease", "gene"]


def _asks_about(text: str) -> str:
    if "{name}" not in text or re.search(r"[{}]", text.replace("{name}", "")):
        raise ValueError("expected {name} in it, and no other braces")
    return text


class QuizConfig(Section):
    """What the quizzes made from a graph have in common."""

    common: ClassVar[float]
    """Words in a larger share of the names may stand in a question and in its options."""

    train: int = Field(3000, ge=0, description="questions to learn from")
    dev: int = Field(300, ge=0, description="questions to choose settings by")
    test: int = Field(1200, ge=1, description="questions that count")
    max_characters: int = Field(60, ge=1, description="concepts with longer names are not used")
    seed: int = Field(0, ge=0, description="seed of every draw")


class HPOQuizConfig(QuizConfig):
    """A quiz made from the graph of kg.hpo; sizes are of all kinds together, in equal shares."""

    common: ClassVar[float] = 1

    source: Literal["hpoquiz"] = Field("hpoquiz", description="names this data set")
    wording: dict[QuizKind, str] = Field(
        {
            "is_a": "Which of these is a kind of {name}?",
            "phenotype": "Which of these is a finding in {name}?",
            "disease": "Which of these disorders is linked to the gene {name}?",
            "gene": "Which of these genes is linked to {name}?",
        },
        min_length=1,
        description="the kinds of question and how each is put",
    )
    without: Path | None = Field(
        None,
        description="phenopackets (folder or zip); no question names a disease of these patients",
    )

    @field_validator("wording")
    @classmethod
    def _ask_about(cls, wording: dict[QuizKind, str]) -> dict[QuizKind, str]:
        for text in wording.values():
            _asks_about(text)
        return wording


class Words(Section):
    """How a relation of a graph is asked about."""

    head: str | None = Field(
        None, description="asks for a fact's head, {name} is its tail; null: of the relation's name"
    )
    tail: str | None = Field(
        None, description="asks for a fact's tail, {name} is its head; null: of the relation's name"
    )

    @field_validator("head", "tail")
    @classmethod
    def _ask_about(cls, text: str | None) -> str | None:
        return text if text is None else _asks_about(text)


class GraphQuizConfig(QuizConfig):
    """A quiz made from any graph: its relations with facts enough, in shares as equal as can be."""

    common: ClassVar[float] = 0.05

    source: Literal["graphquiz"] = Field("graphquiz", description="names this data set")
    wording: dict[str, Words] = Field(
        {}, description="relation -> how it is asked about; others in words made of their names"
    )
    kinds: tuple[str, ...] = Field(
        (),
        description="what is asked: relations (treats) or one end of their facts (treats:tail); "
        "none: all that can be",
    )
    most_kinds: int = Field(
        8, ge=1, description="kinds of question at most, those that most concepts can be asked by"
    )
    min_facts: int = Field(
        50, ge=1, description="facts that can be asked about, below which a relation is left out"
    )


class PatientsConfig(Section):
    """Published patients: which disease is it? Learned from patients that are simulated."""

    source: Literal["patients"] = Field("patients", description="names this data set")
    path: Path = Field(
        Path("data/all_phenopackets.zip"),
        description="phenopackets, a folder or zip (data/README.md)",
    )
    papers: Literal["uncited", "all"] = Field(
        "uncited",
        description="uncited: only patients of papers that the graph does not cite; all: the "
        "others too, as a kind of their own",
    )
    train: int = Field(3200, ge=0, description="simulated patients to learn from")
    dev: int = Field(200, ge=0, description="simulated patients to choose settings by")
    per_disease: int = Field(40, ge=1, description="real patients of a disease at most")
    min_findings: int = Field(3, ge=1, description="patients with fewer findings are left out")
    findings: int = Field(8, ge=1, description="findings of a patient that are told, at most")
    absent: int = Field(3, ge=0, description="absent findings that are told, at most")
    alike: int = Field(
        16, ge=3, le=32, description="wrong options are among so many diseases most like the right"
    )
    seed: int = Field(0, ge=0, description="seed of every draw")


class PubMedQAConfig(Section):
    """PubMedQA's 1,000 labelled questions: yes, no or maybe, by an abstract."""

    source: Literal["pubmedqa"] = Field("pubmedqa", description="names this data set")
    path: Path | None = Field(
        None, description="ori_pqal.json; null: qiaojin/PubMedQA from the hub"
    )
    split: Literal["meg", "official"] = Field(
        "meg", description="the 500 test questions: MEG's shuffle, or the data set's own"
    )
    test_ids: Path | None = Field(
        None, description="test_ground_truth.json, which the official split needs"
    )
    dev: int = Field(0, ge=0, lt=500, description="questions set apart from the 500 for training")
    seed: int = Field(0, ge=0, description="seed of the dev questions' draw")


class MedQAConfig(Section):
    """MedQA-USMLE with four options."""

    source: Literal["medqa"] = Field("medqa", description="names this data set")
    path: Path | None = Field(
        None,
        description="folder of the raw JSON lines or of DRAGON's linked statements; "
        "null: GBaker/MedQA-USMLE-4-options from the hub",
    )


class MedMCQAConfig(Section):
    """MedMCQA, evaluated on its validation questions, as its test answers are not public."""

    source: Literal["medmcqa"] = Field("medmcqa", description="names this data set")
    path: Path | None = Field(
        None,
        description="folder with train.json and dev.json; null: openlifescienceai/medmcqa "
        "from the hub",
    )
    dev: int = Field(0, ge=0, description="questions set apart from the training questions")
    repeated: Repeated = Field("keep", description=REPEATED)
    seed: int = Field(0, ge=0, description="seed of the dev questions' draw")


class MMLUConfig(Section):
    """The medical subjects of MMLU: evaluation only."""

    source: Literal["mmlu"] = Field("mmlu", description="names this data set")
    path: Path | None = Field(
        None, description="folder with test/<subject>_test.csv; null: cais/mmlu from the hub"
    )
    split: Literal["test", "val", "dev"] = Field("test", description="which of MMLU's parts")
    repeated: Repeated = Field("keep", description=REPEATED)
    subjects: tuple[str, ...] = Field(
        (
            "anatomy",
            "clinical_knowledge",
            "college_biology",
            "college_medicine",
            "medical_genetics",
            "professional_medicine",
        ),
        min_length=1,
        description="subjects, which become the questions' kinds",
    )


class FileConfig(Section):
    """Questions of your own."""

    source: Literal["file"] = Field("file", description="names this data set")
    path: Path = Field(
        description="folder with test.jsonl and, as far as there, train.jsonl and dev.jsonl "
        "(docs/reference/questions.md)"
    )


QuestionsConfig = Annotated[
    HPOQuizConfig
    | GraphQuizConfig
    | PatientsConfig
    | PubMedQAConfig
    | MedQAConfig
    | MedMCQAConfig
    | MMLUConfig
    | FileConfig,
    Field(discriminator="source"),
]
"""Which data set, and how it is read or made."""
