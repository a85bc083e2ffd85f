"""Configuration of the knowledge-graph stages; one section a stage, values live in `config/*.yaml`.

It imports neither torch nor a model, so that the Snakefile can validate a config in a moment.
"""

from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Field, model_validator

from kg.shared.command import Section

__all__ = [
    "ENCODERS",
    "EncoderConfig",
    "EncoderSection",
    "FeaturesConfig",
    "HPOConfig",
    "LinkConfig",
    "LookupConfig",
    "RDF2VecConfig",
    "RandomConfig",
    "ReleaseConfig",
    "SAGEConfig",
    "TextConfig",
    "TrainedConfig",
    "UMLSConfig",
]


class HPOConfig(Section):
    """`kg.hpo`: how much of the Human Phenotype Ontology is taken."""

    limit: int | None = Field(
        default=None, ge=16, description="at most this many concepts, well connected (null: all)"
    )
    without: Path | None = Field(
        default=None,
        description="phenopackets (folder or zip); annotations that only the papers of these "
        "patients support are left out, so that the graph can be tried on them",
    )


class UMLSConfig(Section):
    """`kg.umls`: which part of a Metathesaurus becomes the graph. Empty lists mean: all."""

    sources: tuple[str, ...] = Field(
        default=(), description="vocabularies (SAB) of names, relations and definitions"
    )
    languages: tuple[str, ...] = Field(
        default=("ENG",), description="languages (LAT) of names, preferred first"
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
        default=False,
        description="keep relations of a concept with itself, but for those of the hierarchy",
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

    embeddings: tuple[str, ...] | None = Field(
        default=None,
        description="the * of the word2embed_*.h5 that become stores, each under its name (or its "
        "beginning, up to a _); only concepts that all of them have are kept; null: all files (the "
        "workflow wants a list)",
    )


class FeaturesConfig(Section):
    """`kg.features`: concept names through a text encoder (docs/explanation/method.md)."""

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
        default=True,
        description="compute in bfloat16 where that is faster; pooling and output in float32",
    )


class EncoderSection(Section):
    """What the configurations of all graph encoders have."""

    encoder: str
    dim: int = Field(default=256, ge=8, description="width of a stored vector")
    seed: int = Field(
        default=0, ge=0, lt=2**32, description="seed of split, initialisation and sampling"
    )


class TextConfig(EncoderSection):
    """The names' features alone, compressed."""

    encoder: Literal["text"] = Field("text", description="names this encoder")


class TrainedConfig(EncoderSection):
    """What the encoders have that link prediction trains, on one GPU or several."""

    negatives: int = Field(
        default=4096,
        ge=2,
        description="wrong answers for a batch, a quarter of them drawn from all concepts, the "
        "others from the batch's own answers",
    )
    epochs: int = Field(default=15, ge=1, description="passes over the training triplets")
    patience: int = Field(
        default=5, ge=1, description="epochs without a better validation MRR before an early end"
    )
    batch_size: int = Field(default=4096, ge=1, description="training triplets in a step")
    learning_rate: float = Field(
        default=1e-2, gt=0, description="peak, after warm-up, before cosine decay"
    )
    bf16: bool = Field(default=True, description="matrix products in bfloat16 where that is faster")


class SAGEConfig(TrainedConfig):
    """Name and neighbours, by message passing."""

    encoder: Literal["graphsage", "edgegraphsage"] = Field(
        "graphsage",
        description="graphsage: plain mean of the neighbours; edgegraphsage: messages see the "
        "relation",
    )
    spectral_dim: int = Field(
        default=128,
        ge=0,
        description="of a stored vector the spectral embedding of the graph takes this many",
    )
    lineage: float = Field(
        default=0.5,
        ge=0,
        description="weight of the text of a concept and its ancestors, compressed together "
        "with the encoder's vector (0: the encoder's alone)",
    )
    message_dim: int = Field(
        default=128,
        ge=0,
        description="spectral numbers in a node's first message, and as many components of "
        "its text (0: the text features instead)",
    )
    width: int = Field(default=256, ge=8, description="width of the encoder's layers")
    layers: int = Field(default=2, ge=1, description="message-passing steps")
    free: bool = Field(
        default=True,
        description="a trained vector per concept beside what text and neighbours say",
    )
    fanout: int | None = Field(
        default=10, ge=1, description="neighbours drawn for a node in training (null: all)"
    )

    @model_validator(mode="after")
    def _widths_fit(self) -> "SAGEConfig":
        compressed = self.dim - self.spectral_dim
        if not 0 < compressed <= self.width:
            raise ValueError(
                f"dim - spectral_dim = {compressed}, expected 1 to {self.width} (width): "
                "that part of a stored vector is compressed from the encoder's"
            )
        if self.width % 2:
            raise ValueError(f"width {self.width} is odd; its halves are read as complex numbers")
        return self


class LookupConfig(TrainedConfig):
    """A look-up table: a trained vector a concept."""

    encoder: Literal["distmult", "transe", "complex", "rotate"] = Field(
        description="names the score that trains the table"
    )

    @model_validator(mode="after")
    def _halves_fit(self) -> "LookupConfig":
        if self.encoder in ("complex", "rotate") and self.dim % 2:
            raise ValueError(f"dim {self.dim} is odd; its halves are read as complex numbers")
        return self


class RDF2VecConfig(EncoderSection):
    """word2vec over random walks."""

    encoder: Literal["rdf2vec"] = Field("rdf2vec", description="names this encoder")
    epochs: int = Field(default=15, ge=1, description="passes over the walks")
    learning_rate: float = Field(default=1e-2, gt=0, description="the first one, then falling")
    walks: int = Field(default=10, ge=1, description="walks from every concept")
    hops: int = Field(default=4, ge=1, description="edges of a walk")


class RandomConfig(EncoderSection):
    """Random vectors: the control."""

    encoder: Literal["random"] = Field("random", description="names this encoder")


def _named(values: Any) -> Any:
    """A section that names no encoder is graphsage's."""
    return {"encoder": "graphsage"} | values if isinstance(values, dict) else values


EncoderConfig = Annotated[
    TextConfig | SAGEConfig | LookupConfig | RDF2VecConfig | RandomConfig,
    Field(discriminator="encoder"),
    BeforeValidator(_named),
]
"""`kg.train`: which graph encoder, and how it is made (docs/explanation/encoders.md)."""

ENCODERS: dict[str, type[EncoderSection]] = {
    name: section
    for section in get_args(get_args(EncoderConfig)[0])
    for name in get_args(section.model_fields["encoder"].annotation)
}
"""The section of each encoder by its name."""


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
    accept: bool = Field(
        default=True,
        description="judge each mention by the words around it, where `kg.link fit` learned how",
    )
    approximate: float = Field(
        default=1,
        gt=0,
        le=1,
        description="where no name stands, take the nearest of at least this cosine of letter "
        "trigrams (0.85, say); 1: none",
    )
    typos: bool = Field(
        default=False,
        description="correct one typing error in long words that no name has; not in texts that "
        "were proofread, where most such words are right",
    )
