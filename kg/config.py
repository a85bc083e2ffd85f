"""Configuration of the knowledge-graph stages; one section a stage, values live in `config/*.yaml`.

It imports neither torch nor a model, so that the Snakefile can validate a config in a moment.
"""

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from kg.command import Section

__all__ = [
    "EncoderConfig",
    "FeaturesConfig",
    "HPOConfig",
    "LinkConfig",
    "ReleaseConfig",
    "UMLSConfig",
]


class HPOConfig(Section):
    """`kg.hpo`: how much of the Human Phenotype Ontology is taken."""

    limit: int | None = Field(
        default=None, ge=16, description="at most this many concepts, well connected (null: all)"
    )


class UMLSConfig(Section):
    """`kg.umls`: which part of a Metathesaurus becomes the graph. Empty lists mean: all."""

    sources: tuple[str, ...] = Field(
        default=(), description="vocabularies (SAB) of names, relations and definitions"
    )
    languages: tuple[str, ...] = Field(
        default=("ENG",), min_length=1, description="languages (LAT) of names, preferred first"
    )
    term_types: tuple[str, ...] = Field(default=(), description="kinds of names (TTY)")
    relation_kinds: tuple[str, ...] = Field(
        default=("PAR", "CHD", "RB", "RN", "RO"),
        description="kinds of relations (REL); without AQ and QB there are no qualifiers",
    )
    relations: tuple[str, ...] = Field(
        default=(), description="relations by name (RELA; REL of rows without), in any direction"
    )
    suppressed: bool = Field(
        default=False,
        description="keep suppressed names and relations; a concept that has no other name "
        "keeps the best of its suppressed ones in any case",
    )
    inside_concept: bool = Field(
        default=False, description="keep relations of a concept with itself"
    )
    semantic_types: tuple[str, ...] = Field(
        default=(), description="concepts of these types (T047 or Disease or Syndrome)"
    )
    vocabulary: Path | None = Field(
        default=None, description="file of the CUIs to keep: first TAB-separated field of a line"
    )
    min_degree: int = Field(
        default=0, ge=0, description="drop concepts with fewer triplets, then their triplets"
    )
    k_core: int = Field(
        default=0, ge=0, description="the same, again and again until none is left with fewer"
    )
    definition_sources: tuple[str, ...] = Field(
        default=("MSH", "NCI", "SNOMEDCT_US"),
        description="whose definition is taken first; then the others in alphabetical order",
    )


class ReleaseConfig(Section):
    """`kg.release`: the published tables and embeddings of MEG."""

    embeddings: tuple[str, ...] = Field(
        default=(),
        description="the * of the word2embed_*.h5 that become stores, each under its name; "
        "none: all",
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
    batch_tokens: int = Field(default=8192, ge=1, description="tokens in a batch, padding included")
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
    spectral_dim: int = Field(
        default=128,
        ge=0,
        description="of which the spectral embedding of the graph takes this many",
    )
    width: int = Field(default=256, ge=8, description="width of the encoder's layers")
    layers: int = Field(default=2, ge=1, description="message-passing steps")
    fanout: int | None = Field(
        default=10, ge=1, description="neighbours drawn for a node in training (null: all)"
    )
    negatives: int = Field(default=1024, ge=1, description="random nodes that share a batch")
    epochs: int = Field(default=30, ge=1, description="passes over the training triplets")
    batch_size: int = Field(default=4096, ge=1, description="training triplets in a step")
    learning_rate: float = Field(
        default=2e-3, gt=0, description="peak, after warm-up, before cosine decay"
    )
    bf16: bool = Field(default=True, description="matrix products in bfloat16")
    seed: int = Field(default=0, ge=0, description="seed of split, initialisation and sampling")

    @model_validator(mode="after")
    def _widths_fit(self) -> "EncoderConfig":
        compressed = self.dim - self.spectral_dim
        if not 0 < compressed <= self.width:
            raise ValueError(
                f"dim - spectral_dim = {compressed}, expected 1 to {self.width} (width): "
                "that part of a stored vector is compressed from the encoder's"
            )
        if self.width % 2:
            raise ValueError(f"width {self.width} is odd; its halves are read as complex numbers")
        return self


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
        default=0.35, ge=0, le=1, description="names that are mentions more rarely are not linked"
    )
    typos: bool = Field(
        default=True, description="correct one typing error in long words that no name has"
    )
