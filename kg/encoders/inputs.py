"""What a SAGE encoder starts from: each node's own features, and what it tells its neighbours.

Its own are the text features. Its first message says who it is: the spectral embedding of the
training graph tells it from nodes of a like name, the principal components of its text liken it
to them. A node is not shown its own spectral embedding: that would tell which links it has, the
very thing that is trained, and of a held-out link would tell nothing. Its neighbours are (and by
them, in a second layer, a little of it comes back): a batch's own edges send no messages, so what
comes in by the others has to do for the answer.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from kg.graph.projection import Principal, Standard
from kg.graph.rows import Matrix, Rows, whole

__all__ = ["NodeFeatures", "node_features"]


@dataclass(frozen=True)
class NodeFeatures:
    """Shapes: `own` (node, feature), `sent` (node, message)."""

    own: Tensor
    sent: Tensor

    def to(self, device: torch.device) -> "NodeFeatures":
        """The features on a device."""
        return NodeFeatures(self.own.to(device), self.sent.to(device))


def node_features(
    text: Matrix, spectral: Tensor, dtype: torch.dtype = torch.float32
) -> NodeFeatures:
    """Features of nodes whose text features (node, feature) have mean 0 and deviation 1.

    Messages are as many components of the text as `spectral` (node, dim) has, and these; without
    a spectral embedding they are the text features.
    """
    own = whole(text, dtype)
    dim = min(spectral.shape[1], text.shape[1])
    if not dim:
        return NodeFeatures(own, own)
    components = Principal.of(text, dim)(text)
    deviation = components.std().clamp(min=1e-4)
    linked = Standard.of(spectral).rows(spectral)
    sent = Rows(
        (len(text), dim + spectral.shape[1]),
        lambda rows: torch.cat([components[rows] / deviation, linked[rows]], dim=1),
    )
    return NodeFeatures(own, whole(sent, dtype))
