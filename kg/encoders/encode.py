"""Every graph encoder by one call: vectors to store, and how links are predicted by them."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from kg.config import LOOKUP, SAGE, EncoderConfig
from kg.encoders.inputs import NodeFeatures, node_features
from kg.encoders.lineage import lineage
from kg.encoders.link_prediction import LinkPredictor, all_vectors, scorer_of
from kg.encoders.rdf2vec import walk_vectors
from kg.encoders.spectral import spectral_embedding
from kg.encoders.training import train_encoder
from kg.evaluation.baselines import translation_scorer
from kg.evaluation.ranking import Scorer
from kg.graph.projection import Principal, Standard, unit_half
from kg.graph.rows import Matrix, Rows
from kg.graph.sampling import build_adjacency
from kg.graph.split import Graph, Split
from kg.shared import processes
from kg.shared.precision import as_computed

__all__ = ["Encoded", "encode"]


@dataclass(frozen=True)
class Encoded:
    """What an encoder makes of a graph.

    Shapes: `vectors` (node, dim) float16, what is stored.
    """

    vectors: Tensor
    score: Scorer
    weights: dict[str, Tensor] = field(default_factory=dict)
    """All that new vectors are computed by; empty where only the stored ones are."""
    history: list[dict[str, Any]] = field(default_factory=list)
    spectral: int = 0
    """How many of a vector's last numbers are the spectral embedding's."""


def encode(split: Split, raw: Matrix, config: EncoderConfig, checkpoint: Path) -> Encoded:
    """Train the configured encoder on `split.train` and text features `raw` (node, feature).

    Those that are trained by link prediction predict by their decoder, the others by translation.
    """
    if config.encoder in SAGE:
        return _sage(split, raw, as_computed(config), checkpoint)
    if config.encoder in LOOKUP:
        return _lookup(split, as_computed(config), checkpoint)
    if config.encoder == "text":
        return _text(split, raw, config)
    if config.encoder == "rdf2vec":
        vectors = walk_vectors(split.train, config)
    else:
        seeded = torch.Generator().manual_seed(config.seed)
        vectors = torch.randn(split.train.nodes, config.dim, generator=seeded)
    stored = unit_half(vectors)
    return Encoded(stored, translation_scorer(stored, split.train))


def _sage(split: Split, raw: Matrix, config: EncoderConfig, checkpoint: Path) -> Encoded:
    """A store of two parts, each of length 1: the compressed encoder's and the spectral one.

    With the encoder's vector the text of the concept's lineage is compressed.
    """
    standard = Standard.of(raw)
    seeded = torch.Generator().manual_seed(config.seed)
    dims = config.spectral_dim, config.message_dim
    spectral = spectral_embedding(split.train, max(dims), seeded)
    spectral, sent = (spectral[:, :dim] for dim in dims)
    text = standard.rows(raw)
    dtype = torch.bfloat16 if config.bf16 else torch.float32
    features = node_features(text, sent, dtype).to(processes.device())
    model, history = train_encoder(split, features, config, checkpoint)
    keys = _keys(model, features, split.train, config)
    family = lineage(text, split.train)
    described = Rows(
        (len(keys), keys.shape[1] + family.shape[1]),
        lambda rows: torch.cat([keys[rows], config.lineage * family[rows]], dim=1),
    )
    output = Principal.of(described, config.dim - config.spectral_dim)
    weights = model.state_dict() | _weights("features", standard) | _weights("output", output)
    weights.pop("encoder.free", None)  # New concepts have none.
    stored = unit_half(output(described), spectral)
    score = scorer_of(model.decoder, keys)
    return Encoded(stored, score, weights, history, config.spectral_dim)


def _lookup(split: Split, config: EncoderConfig, checkpoint: Path) -> Encoded:
    nothing = torch.zeros(split.train.nodes, 0)
    none = NodeFeatures(nothing, nothing).to(processes.device())
    model, history = train_encoder(split, none, config, checkpoint)
    keys = _keys(model, none, split.train, config)
    stored = unit_half(keys[:, : config.dim])
    return Encoded(stored, scorer_of(model.decoder, keys), model.state_dict(), history)


def _text(split: Split, raw: Matrix, config: EncoderConfig) -> Encoded:
    standard = Standard.of(raw)
    text = standard.rows(raw)
    output = Principal.of(text, config.dim)
    weights = _weights("features", standard) | _weights("output", output)
    stored = unit_half(output(text))
    return Encoded(stored, translation_scorer(stored, split.train), weights)


def _keys(
    model: LinkPredictor, features: NodeFeatures, train: Graph, config: EncoderConfig
) -> Tensor:
    """The decoder's keys of all nodes; they and the model come to the CPU."""
    device = features.device
    keys = all_vectors(model, features, build_adjacency(train.to(device)), config.bf16).cpu()
    model.cpu()
    return keys


def _weights(name: str, part: Standard | Principal) -> dict[str, Tensor]:
    return {f"{name}.{key}": value.contiguous() for key, value in vars(part).items()}
