"""What a training counted and measured: the fields of a checkpoint's `metrics.json`."""

from typing import ClassVar, Literal

from pydantic import Field

from kg.shared.command import Section
from kg.shared.documents import Document

__all__ = ["AlignMetrics", "FinetuneMetrics", "NamesFound", "Retrieval"]


class NamesFound(Section):
    """Whether a mapped vector is near the name of its own concept."""

    top1: float = Field(description="share of concepts whose name is the nearest, 0 to 1")
    top10: float = Field(description="share of those whose name is among the ten nearest, 0 to 1")


class Retrieval(Section):
    """Name retrieval before and after the LLM was trained."""

    candidates: int = Field(description="names among which one is sought")
    mapper_alone: NamesFound = Field(description="with the mapper trained alone")
    phase_1: NamesFound = Field(description="after all of Phase I")


class AlignMetrics(Document):
    """`metrics.json` of Phase I."""

    made_by: ClassVar[str] = "meg.align"

    format: Literal["meg-align-metrics-1"] = Field("meg-align-metrics-1", description="of the file")
    concepts: int = Field(description="concepts of the graph")
    examples: int = Field(description="prompts that the LLM was trained on; 0: the mapper alone")
    name_retrieval: Retrieval = Field(description="of mapped vectors among names")


class FinetuneMetrics(Document):
    """`metrics.json` of Phase II."""

    made_by: ClassVar[str] = "meg.finetune"

    format: Literal["meg-finetune-metrics-1"] = Field(
        "meg-finetune-metrics-1", description="of the file"
    )
    questions: int = Field(description="questions trained on")
    shortened: int = Field(description="those whose context was cut to fit")
    without_concept: int = Field(description="those without a concept of the store")
    tokens: int = Field(description="tokens of all of them")
