"""Configuration of the knowledge-graph stages; one section a stage, values live in `config/*.yaml`.

It imports neither torch nor a model, so that the Snakefile can validate a config in a moment.
"""

from typing import Literal

from pydantic import Field

from kg.command import Section

__all__ = ["EncoderConfig", "FeaturesConfig", "HPOConfig", "LinkConfig"]


class HPOConfig(Section):
    """`kg.hpo`: how much of the Human Phenotype Ontology is taken."""

    limit: int | None = Field(
        default=None, ge=16, description="at most this many concepts, well connected (null: all)"
    )


class FeaturesConfig(Section):
    """`kg.features`: concept names through a text encoder (SapBERT: facts in docs/method.md)."""

    model: str = Field(
        default="cambridgeltl/SapBERT-from-PubMedBERT-fulltext",
        description="hub id, folder, or package:<python package>/<folder> of the text encoder",
    )
    pooling: Literal["cls", "mean"] = Field(
        default="cls",
        description="cls: last hidden state of the first token; mean: over real tokens",
    )
    max_tokens: int = Field(default=25, ge=4, description="longer names are cut")
    lowercase: bool = Field(default=True, description="lower-case names before the tokenizer")
    batch_tokens: int = Field(
        default=8192, ge=64, description="tokens in a batch, padding included"
    )
    bf16: bool = Field(
        default=True, description="compute in bfloat16; pooling and output in float32"
    )


class EncoderConfig(Section):
    """`kg.train`: the graph encoder and its link-prediction training."""

    encoder: Literal["graphsage", "edgegraphsage"] = Field(
        default="graphsage",
        description="graphsage: plain mean; edgegraphsage: messages see the relation",
    )
    dim: int = Field(default=256, ge=8, description="width of a stored vector")
    layers: int = Field(default=2, ge=1, description="message-passing steps")
    epochs: int = Field(default=30, ge=1, description="passes over the training triplets")
    batch_size: int = Field(default=4096, ge=1, description="training triplets in a step")
    learning_rate: float = Field(
        default=2e-3, gt=0, description="peak, after warm-up, before cosine decay"
    )
    seed: int = Field(
        default=0, ge=0, description="seed of split, initialisation, sampling and dropout"
    )


class LinkConfig(Section):
    """`kg.link`: which names are linked and when; stored with the linker when it is built."""

    semantic_types: tuple[str, ...] = Field(
        (), description="link only concepts of one of these types; none: of every type"
    )
    sources: tuple[str, ...] = Field(
        (), description="link only ids of these sources (HP, OMIM, NCBIGene...; UMLS: a bare CUI)"
    )
    max_candidates: int = Field(default=3, ge=1, description="concepts kept of an ambiguous name")
    unseen_link: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="link probability of a name that no corpus was seen to use",
    )
    min_link: float = Field(
        default=0.3, ge=0, le=1, description="names that are mentions more rarely are not linked"
    )
