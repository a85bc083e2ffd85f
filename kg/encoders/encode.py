"""Every graph encoder by one call: `ENCODERS` says which code belongs to which section."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from kg.config import (
    EncoderSection,
    LookupConfig,
    RandomConfig,
    RDF2VecConfig,
    SAGEConfig,
    TextConfig,
)
from kg.encoders import graphsage, lookup, random_vectors, rdf2vec, text
from kg.encoders.encoded import Encoded
from kg.graph.rows import Matrix
from kg.graph.split import Split
from kg.shared.errors import InputError

__all__ = ["ENCODERS", "Encoder", "embed", "encode"]


@dataclass(frozen=True)
class Encoder:
    """What an encoder can do; its section of the configuration comes along with every call."""

    encode: Callable[[Split, Matrix, Any, Path], Encoded]
    embed: Callable[[Tensor, dict[str, Tensor], Any], Tensor] | None = None
    """None where it knows nothing of concepts that it was not trained on."""


ENCODERS: dict[type[EncoderSection], Encoder] = {
    TextConfig: Encoder(text.encode, text.embed),
    SAGEConfig: Encoder(graphsage.encode, graphsage.embed),
    LookupConfig: Encoder(lookup.encode),
    RDF2VecConfig: Encoder(rdf2vec.encode),
    RandomConfig: Encoder(random_vectors.encode),
}


def encode(split: Split, raw: Matrix, config: EncoderSection, checkpoint: Path) -> Encoded:
    """Train the configured encoder on `split.train` and text features `raw` (node, feature).

    Those that are trained by link prediction predict by their decoder, the others by translation.
    `checkpoint`: file of a training that may be continued.
    """
    return ENCODERS[type(config)].encode(split, raw, config, checkpoint)


def embed(raw: Tensor, weights: dict[str, Tensor], config: EncoderSection) -> Tensor:
    """Vectors (concept, dim) float16 of text features `raw` (concept, feature) of new concepts.

    `weights`: as `encode` made them. Raises InputError for an encoder that does not read text, and
    for features of another width than it learned from.
    """
    make = ENCODERS[type(config)].embed
    if make is None:
        able = [kind.model_fields["encoder"].default for kind, e in ENCODERS.items() if e.embed]
        raise InputError(
            f"the encoder {config.encoder} cannot embed concepts that it was not trained on; "
            f"take one like {' or '.join(able)}"
        )
    width = len(weights["features.mean"])
    if raw.shape[1] != width:
        raise InputError(
            f"features of {raw.shape[1]} numbers, expected {width}; "
            "make them by kg.features with the same text encoder"
        )
    return make(raw, weights, config)
