"""Configuration of the knowledge-graph stages; one section a stage, values live in `config/*.yaml`.

It imports neither torch nor a model, so that the Snakefile can validate a config in a moment.
"""

from typing import Literal

from pydantic import Field

from kg.command import Section

__all__ = ["EncoderConfig", "FeaturesConfig", "HPOConfig"]


class HPOConfig(Section):
    """`kg.hpo`: how much of the Human Phenotype Ontology is taken."""

    limit: int | None = Field(
        default=None, ge=16, description="at most this many concepts, well connected (null: all)"
    )


class FeaturesConfig(Section):
    """`kg.features`: concept names through a text encoder (SapBERT: facts in docs/method.md)."""

    model: str = Field(
        "cambridgeltl/SapBERT-from-PubMedBERT-fulltext",
        description="hub id, folder, or package:<python package>/<folder> of the text encoder",
    )
    pooling: Literal["cls", "mean"] = Field(
        "cls", description="cls: last hidden state of the first token; mean: over real tokens"
    )
    max_tokens: int = Field(25, ge=4, description="longer names are cut")
    lowercase: bool = Field(True, description="lower-case names before the tokenizer")
    batch_tokens: int = Field(8192, ge=64, description="tokens in a batch, padding included")
    bf16: bool = Field(True, description="compute in bfloat16; pooling and output in float32")


class EncoderConfig(Section):
    """`kg.train`: the graph encoder and its link-prediction training."""

    encoder: Literal["graphsage", "edgegraphsage"] = Field(
        "graphsage", description="graphsage: plain mean; edgegraphsage: messages see the relation"
    )
    dim: int = Field(256, ge=8, description="width of a stored vector")
    layers: int = Field(2, ge=1, description="message-passing steps")
    epochs: int = Field(30, ge=1, description="passes over the training triplets")
    batch_size: int = Field(4096, ge=1, description="training triplets in a step")
    learning_rate: float = Field(2e-3, gt=0, description="peak, after warm-up, before cosine decay")
    seed: int = Field(0, ge=0, description="seed of split, initialisation, sampling and dropout")
