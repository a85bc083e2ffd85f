"""The SAGE encoders: what they start from, how they are trained, and what of them is stored."""

from pathlib import Path
from typing import cast

import torch
from torch import Tensor
from torch.nn import functional as F

from kg.config import SAGEConfig
from kg.encoders.decoder import ComplEx
from kg.encoders.encoded import Encoded, projections, projections_of
from kg.encoders.inputs import node_features
from kg.encoders.lineage import lineage
from kg.encoders.link_prediction import LinkPredictor, scorer_of, seeded_weights
from kg.encoders.sage import GraphEncoder
from kg.encoders.spectral import spectral_embedding
from kg.encoders.training import final_keys, train_encoder
from kg.graph.projection import Principal, Standard, unit_half
from kg.graph.rows import Matrix, Rows
from kg.graph.split import Split
from kg.shared import processes
from kg.shared.precision import as_computed

__all__ = ["embed", "encode", "sage_model"]


def sage_model(
    features: int, sent: int, relations: int, config: SAGEConfig, nodes: int = 0
) -> LinkPredictor:
    """A new model for node features and messages of these widths.

    `relations`: of the graph, without inverses; `nodes`: how many have a free vector, where the
    configuration gives them one.
    """
    seen = 2 * relations if config.encoder == "edgegraphsage" else 0
    free = nodes if config.free else 0
    with seeded_weights(config.seed):
        encoder = GraphEncoder(features, sent, config.width, config.layers, seen, free)
        return LinkPredictor(encoder, ComplEx(2 * relations, config.width), config.fanout)


def encode(split: Split, raw: Matrix, config: SAGEConfig, checkpoint: Path) -> Encoded:
    """A store of two parts, each of length 1: the compressed encoder's and the spectral one.

    With the encoder's vector the text of the concept's lineage is compressed.
    """
    config = as_computed(config)
    standard = Standard.of(raw)
    seeded = torch.Generator().manual_seed(config.seed)
    dims = config.spectral_dim, config.message_dim
    spectral = spectral_embedding(split.train, max(dims), seeded)
    spectral, sent = (spectral[:, :dim] for dim in dims)
    text = standard.rows(raw)
    dtype = torch.bfloat16 if config.bf16 else torch.float32
    features = node_features(text, sent, dtype).to(processes.device())
    widths = features.own.shape[1], features.sent.shape[1]
    model = sage_model(*widths, len(split.train.relations), config, split.train.nodes)
    history = train_encoder(model, split, features, config, checkpoint)
    keys = final_keys(model, features, split.train, config.bf16)
    family = lineage(text, split.train)
    described = Rows(
        (len(keys), keys.shape[1] + family.shape[1]),
        lambda rows: torch.cat([keys[rows], config.lineage * family[rows]], dim=1),
    )
    output = Principal.of(described, config.dim - config.spectral_dim)
    weights = model.state_dict() | projections(standard, output)
    weights.pop("encoder.free", None)  # New concepts have none.
    stored = unit_half(output(described), spectral)
    return Encoded(stored, scorer_of(model.decoder, keys), weights, history, config.spectral_dim)


def embed(raw: Tensor, weights: dict[str, Tensor], config: SAGEConfig) -> Tensor:
    """Vectors (concept, dim) float16 of the features (concept, feature) of new concepts.

    They have no edges, so their spectral part is 0, and their lineage is their own text.
    """
    config = as_computed(config)
    standard, output = projections_of(weights)
    text = standard(raw)
    sent = weights["encoder.layers.0.conv.lin_l.weight"].shape[1]
    relations = len(weights["decoder.relation"]) // 2
    model = sage_model(text.shape[1], sent, relations, config)
    trained = {k: v for k, v in weights.items() if k.startswith(("encoder.", "decoder."))}
    model.load_state_dict(trained)
    own = text.bfloat16() if config.bf16 else text
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=config.bf16):
        vectors = cast("GraphEncoder", model.encoder).alone(own)
    keys = model.decoder.keys(vectors.float())
    described = torch.cat([keys, config.lineage * F.normalize(text, dim=1)], dim=1)
    spectral = torch.zeros(len(raw), config.spectral_dim)
    return torch.cat([unit_half(output(described)), spectral], 1).half()
