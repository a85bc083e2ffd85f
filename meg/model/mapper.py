"""Mapping networks between the graph's space and the LLM's (paper, mapping network).

G takes concept vectors to LLM embeddings and serves wherever concepts are injected; its inverse F
takes them back and serves in Phase I only.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence

from meg.config import MapperConfig

__all__ = ["Mapper", "build_network"]


def build_network(config: MapperConfig, inputs: int, outputs: int) -> nn.Module:
    """A network (..., inputs) -> (..., outputs) of the configured kind.

    "4x128" of the paper is kind mlp, layers 4, width 128: four linear layers with ReLU, then an
    output layer.
    """
    if config.kind == "linear":
        return nn.Linear(inputs, outputs)
    if config.kind == "mlp":
        widths = [inputs] + [config.width] * config.layers
        hidden = [
            module
            for before, after in pairwise(widths)
            for module in (nn.Linear(before, after), nn.ReLU())
        ]
        return nn.Sequential(*hidden, nn.Linear(config.width, outputs))
    layer = nn.TransformerEncoderLayer(
        config.width,
        nhead=config.heads,
        dim_feedforward=2 * config.width,
        dropout=0.0,
        batch_first=True,
        norm_first=config.style == "paper",
    )
    return nn.Sequential(
        nn.Linear(inputs, config.width),
        nn.Unflatten(-1, (1, config.width)),
        nn.TransformerEncoder(layer, config.layers, enable_nested_tensor=False),
        nn.Flatten(-2),
        nn.Linear(config.width, outputs),
    )


class Mapper(nn.Module):
    """G: concept vectors (concept, kge) -> LLM embeddings (concept, hidden).

    With `normalise`, what the network returns only sets a direction: it is scaled to the typical
    distance of a token's embedding from the mean embedding, times a learned gain, and shifted to
    that mean. Without it the output enters the LLM as it is, as in the published model, at a
    scale which a small LLM cannot read.
    """

    def __init__(self, config: MapperConfig, kge: int, hidden: int) -> None:
        super().__init__()
        self.normalise = config.normalise
        self.together = config.kind == "transformer" and config.style == "paper"
        self.mean: Tensor
        self.scale: Tensor
        self.network = build_network(config, kge, hidden)
        if config.normalise:
            # One element, not a scalar: DeepSpeed cannot broadcast parameters without dimensions.
            self.gain = nn.Parameter(torch.ones(1))
            self.register_buffer("mean", torch.zeros(hidden))
            self.register_buffer("scale", torch.ones(1))

    @torch.no_grad()
    def fit_to(self, embeddings: Tensor) -> None:
        """Take mean and typical norm from the LLM's input embeddings (vocab, hidden)."""
        if self.normalise:
            table = embeddings.float()
            self.mean.copy_(table.mean(0))
            self.scale.copy_((table - self.mean).norm(dim=-1).mean())

    def forward(self, concepts: Tensor, counts: Tensor | None = None) -> Tensor:
        """`counts` (row,) says how many of the concepts, in order, stand in each row of the batch;
        without it each is mapped as if it stood alone."""
        if self.together and counts is not None and len(concepts):
            mapped = self._together(concepts, counts[counts > 0])
        else:
            mapped = self.network(concepts)
        if not self.normalise:
            return mapped
        return self.mean + self.gain * self.scale * functional.normalize(mapped, dim=-1)

    def centre(self, embeddings: Tensor) -> Tensor:
        """Embeddings (..., hidden) without the part that all tokens share, to be compared."""
        return embeddings - self.mean if self.normalise else embeddings

    def _together(self, concepts: Tensor, counts: Tensor) -> Tensor:
        """The transformer over all concepts of each row."""
        assert isinstance(self.network, nn.Sequential)
        down, _, encoder, _, up = self.network
        padded = pad_sequence(down(concepts).split(counts.tolist()), batch_first=True)
        padding = torch.arange(padded.shape[1], device=counts.device) >= counts[:, None]
        return up(encoder(padded, src_key_padding_mask=padding)[~padding])
