"""What is measured of an encoder: the fields of its `metrics.json`."""

from typing import Any, ClassVar, Literal

from pydantic import Field

from kg.shared.command import Section
from kg.shared.documents import Document

__all__ = [
    "EncoderMetrics",
    "GraphCounts",
    "LinkMetrics",
    "Probes",
    "Ranks",
    "RelationMetrics",
]


class Ranks(Section):
    """Filtered realistic ranks of right answers."""

    mrr: float = Field(description="mean of 1 / rank")
    hits_1: float = Field(alias="hits@1", description="part of the ranks up to 1")
    hits_3: float = Field(alias="hits@3", description="part of the ranks up to 3")
    hits_10: float = Field(alias="hits@10", description="part of the ranks up to 10")
    n: int = Field(description="questions")


class LinkMetrics(Ranks):
    """Ranks of both ends of held-out triplets among all concepts."""

    macro_mrr: float = Field(description="mean over relations of mrr")
    macro_hits_1: float = Field(alias="macro_hits@1", description="mean over relations of hits@1")
    macro_hits_3: float = Field(alias="macro_hits@3", description="mean over relations of hits@3")
    macro_hits_10: float = Field(
        alias="macro_hits@10", description="mean over relations of hits@10"
    )
    by_relation: dict[str, Ranks] = Field(description="by relation; ^-1: heads asked for")


class RelationMetrics(Section):
    """Which relation holds between the two concepts of a held-out triplet."""

    accuracy: float = Field(description="part that is right")
    macro: float = Field(description="mean over relations of that part")
    n: int = Field(description="triplets")


class Probes(Section):
    """What a reader of vectors finds who only compares or projects."""

    choice_of_known_facts: dict[str, float] = Field(
        description="part of the training facts whose tail is chosen of four, by relation"
    )
    choice_of_new_facts: dict[str, float] = Field(description="the same of held-out facts")
    parent: Ranks | None = Field(
        description="held-out parents by cosine; null: there is no hierarchy"
    )
    parent_by_map: Ranks | None = Field(description="the same by a linear map from child to parent")
    top_term: float | None = Field(
        alias="branch",
        description="accuracy of a linear classifier of top terms; null: fewer than two",
    )
    semantic_type: float | None = Field(description="the same of semantic types")


class GraphCounts(Section):
    """Sizes of the graph and of its split."""

    nodes: int = Field(description="concepts")
    relations: int = Field(description="kinds of relations")
    train: int = Field(description="training triplets")
    validation: int = Field(description="validation triplets")
    test: int = Field(description="test triplets")
    asked: int = Field(description="test triplets that links were predicted for")


class EncoderMetrics(Document):
    """`metrics.json` of an encoder."""

    made_by: ClassVar[str] = "kg.train"
    format: Literal["meg-encoder-metrics-1"] = Field(
        "meg-encoder-metrics-1", description="of the file"
    )
    config: dict[str, Any] = Field(description="section of the encoder")
    graph: GraphCounts = Field(description="what it was trained and judged on")
    link_prediction: dict[str, LinkMetrics] = Field(
        description="by scorer; test: the encoder's own (docs/explanation/encoders.md)"
    )
    relation_classification: dict[str, RelationMetrics | None] = Field(
        description="by vectors; null: there is one relation only"
    )
    probes: dict[str, Probes] = Field(description="by vectors")
