"""What a SAGE encoder starts from: each node's own features, and what it tells its neighbours.

Its own are the text features. Its first message says who it is: the spectral embedding of the
training graph tells it from nodes of a like name, the principal components of its text liken it
to them. A node does not see its own spectral embedding: that would tell which links it has, the
very thing that is trained, and of a held-out link would tell nothing. Its neighbours may: a batch's
own edges send no messages, so what comes in by the others has to do for the answer.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from kg.projection import Principal, Standard

__all__ = ["NodeFeatures", "node_features"]


@dataclass(frozen=True)
class NodeFeatures:
    """Shapes: `own` (node, feature), `sent` (node, message)."""

    own: Tensor
    sent: Tensor

    @property
    def device(self) -> torch.device:
        """Where they are."""
        return self.own.device

    def to(self, device: torch.device) -> "NodeFeatures":
        """The features on a device."""
        return NodeFeatures(self.own.to(device), self.sent.to(device))

    def half(self) -> "NodeFeatures":
        """The features in bfloat16."""
        return NodeFeatures(self.own.bfloat16(), self.sent.bfloat16())


def node_features(text: Tensor, spectral: Tensor) -> NodeFeatures:
    """Features of nodes whose text features (node, feature) have mean 0 and deviation 1.

    Messages are as many components of the text as `spectral` (node, dim) has, and these; without
    a spectral embedding they are the text features.
    """
    dim = min(spectral.shape[1], text.shape[1])
    if not dim:
        return NodeFeatures(text, text)
    components = Principal.of(text, dim)(text)
    sent = torch.cat([components / components.std(), Standard.of(spectral)(spectral)], dim=1)
    return NodeFeatures(text, sent)
