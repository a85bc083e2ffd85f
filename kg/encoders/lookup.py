"""Look-up encoders: a free vector for every node, as PyG's `nn.kge` models have them.

A model of PyG is taken apart into its node tables (the encoder) and its relation table with its
score (the decoder), so that it is trained and ranked as the SAGE encoders are: by the same sampled
softmax, with reciprocal relations. Its score of all nodes then is one matrix product: DistMult and
ComplEx are dot products of a query (node, relation) and the answer; TransE and RotatE are
distances, and -|q - a|^2 = 2 q.a - |a|^2 - |q|^2, where |q|^2 changes neither softmax nor rank.
"""

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch_geometric.nn.kge import ComplEx, DistMult, KGEModel, RotatE, TransE

from kg.config import LookupConfig
from kg.encoders.decoder import Decoder
from kg.encoders.encoded import Encoded
from kg.encoders.link_prediction import LinkPredictor, scorer_of, seeded_weights
from kg.encoders.training import final_keys, train_encoder
from kg.graph.projection import unit_half
from kg.graph.rows import Matrix
from kg.graph.sampling import Adjacency
from kg.graph.split import Split
from kg.shared.precision import as_computed

__all__ = ["LookupDecoder", "LookupEncoder", "encode", "lookup_model", "pyg_model"]

SCALE = 16.0
"""Initial range of the softmax, by relation: learned, and without influence on ranks."""


def encode(split: Split, raw: Matrix, config: LookupConfig, checkpoint: Path) -> Encoded:
    """The trained node tables, at length 1; the text features have no part in them."""
    config = as_computed(config)
    model = lookup_model(split.train.nodes, len(split.train.relations), config)
    history = train_encoder(model, split, None, config, checkpoint)
    keys = final_keys(model, None, split.train, config.bf16)
    stored = unit_half(keys[:, : config.dim])
    return Encoded(stored, scorer_of(model.decoder, keys), model.state_dict(), history)


def lookup_model(nodes: int, relations: int, config: LookupConfig) -> LinkPredictor:
    """A new model; `relations`: of the graph, without inverses."""
    with seeded_weights(config.seed):
        model = pyg_model(config.encoder, nodes, 2 * relations, config.dim)
        return LinkPredictor(LookupEncoder(model), LookupDecoder(model))


def pyg_model(name: str, nodes: int, relations: int, dim: int) -> KGEModel:
    """A new model of PyG whose node vectors have `dim` real numbers; draws from torch's generator.

    TransE by Euclidean distance; `relations`: reciprocal ones included.
    """
    if name == "transe":
        return TransE(nodes, relations, dim, p_norm=2.0)
    if name == "distmult":
        return DistMult(nodes, relations, dim)
    return {"complex": ComplEx, "rotate": RotatE}[name](nodes, relations, dim // 2)


class LookupEncoder(nn.Module):
    """The rows of the model's node tables: real parts, then imaginary ones."""

    def __init__(self, model: KGEModel) -> None:
        super().__init__()
        tables = [model.node_emb]
        if hasattr(model, "node_emb_im"):
            tables.append(model.node_emb_im)
        self.tables = nn.ModuleList(tables)

    def forward(
        self, features: None, adjacency: Adjacency, nodes: Tensor, **sampling: object
    ) -> Tensor:
        """Vectors of `nodes`, (node, dim); neither features nor neighbours come in.

        Those without edges keep what they started with: they would learn as wrong answers only.
        """
        vectors = torch.cat([table(nodes) for table in self.tables], dim=-1)
        linked = adjacency.start[nodes + 1] > adjacency.start[nodes]
        return torch.where(linked.unsqueeze(1), vectors, vectors.detach())


class LookupDecoder(Decoder):
    """The model's score as queries and keys: their dot product orders the answers as it does."""

    def __init__(self, model: KGEModel) -> None:
        super().__init__()
        self.kind = type(model)
        self.relation = model.rel_emb
        self.imaginary = model.rel_emb_im if isinstance(model, ComplEx) else None
        self.scale = nn.Parameter(torch.full((model.num_relations, 1), SCALE).log())

    def forward(self, keys: Tensor, relation: Tensor) -> Tensor:
        """Queries (query, key) of the asked nodes' keys (query, key) and relations (query,)."""
        scale = self.scale[relation].exp()
        if self.kind in (DistMult, ComplEx):
            return scale * self._moved(keys, relation)
        moved = self._moved(keys[:, :-1], relation)
        return scale * torch.cat([2 * moved, -torch.ones_like(moved[:, :1])], dim=-1)

    def keys(self, vectors: Tensor) -> Tensor:
        """What queries are multiplied with: the vectors; for distances with |a|^2 behind."""
        if self.kind in (DistMult, ComplEx):
            return vectors
        if self.kind is TransE:
            vectors = F.normalize(vectors, dim=-1)
        return torch.cat([vectors, vectors.square().sum(-1, keepdim=True)], dim=-1)

    def _moved(self, vectors: Tensor, relation: Tensor) -> Tensor:
        """Where the relation brings the nodes."""
        by = self.relation(relation)
        if self.kind is DistMult:
            return vectors * by
        if self.kind is TransE:
            return vectors + by
        real, imaginary = vectors.chunk(2, dim=-1)
        if self.imaginary is not None:
            cos, sin = by, self.imaginary(relation)
        else:
            cos, sin = by.cos(), by.sin()
        return torch.cat([real * cos - imaginary * sin, real * sin + imaginary * cos], dim=-1)
