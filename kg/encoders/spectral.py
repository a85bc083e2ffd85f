"""A spectral embedding of the graph: what is linked to what, remembered rather than generalised.

Eigenvectors of D^-1/4 A D^-1/4 (A: the symmetric adjacency, D: its degrees), scaled by the roots of
their eigenvalues, so that a dot product approximates an entry. An encoder that is trained to
predict edges it may not look at learns what is likely; which facts are stated is remembered here.
The usual exponent, 1/2, spends the dimensions on small separate components
(docs/explanation/encoders.md).
"""

import numpy as np
import torch
from scipy.sparse import coo_matrix, diags
from scipy.sparse.linalg import eigsh
from torch import Tensor

from kg.graph.split import Graph

__all__ = ["spectral_embedding"]

EXPONENT = 0.25
"""Of the degrees; docs/explanation/encoders.md has the comparison."""

TOLERANCE = 1e-2
"""Of the eigenvalues, relative; 1e-2 is the accuracy of a float16 store many times over."""


def spectral_embedding(graph: Graph, dim: int, generator: torch.Generator) -> Tensor:
    """Vectors (node, dim) float32; zero for nodes without edges and for dimensions too many.

    Only positive eigenvalues count: by negative ones linked nodes would be opposites.
    """
    if not dim:
        return torch.zeros(graph.nodes, 0)
    head, _, tail = graph.triplets.numpy().T
    ends = (np.concatenate([head, tail]), np.concatenate([tail, head]))
    ones = np.ones(len(ends[0]))
    adjacency = coo_matrix((ones, ends), shape=(graph.nodes, graph.nodes)).tocsr()
    adjacency.data[:] = 1
    degree = np.asarray(adjacency.sum(axis=1)).ravel()
    weight = diags(np.maximum(degree, 1) ** -EXPONENT)
    # ARPACK starts from a random vector, and from others where a subspace is exhausted.
    rng = np.random.default_rng(int(torch.randint(2**31, (), generator=generator)))
    count = min(dim, graph.nodes - 1)
    values, vectors = eigsh(
        weight @ adjacency @ weight, k=count, which="LA", tol=TOLERANCE, rng=rng
    )
    out = np.zeros((graph.nodes, dim), dtype=np.float32)
    out[:, :count] = (vectors * np.sqrt(np.maximum(values, 0)))[:, ::-1]
    out[degree == 0] = 0
    return torch.from_numpy(out)
