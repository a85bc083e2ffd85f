"""RDF2Vec (Ristoski and Paulheim 2016): word2vec over random walks through the graph.

A walk is a sentence of concepts with the relations between them. An edge is walked either way, by
its relation or by the reciprocal one, as in message passing; so no concept is a dead end.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from gensim.models import Word2Vec
from torch import Tensor

from kg.config import RDF2VecConfig
from kg.encoders.encoded import Encoded, by_translation
from kg.graph.projection import unit_half
from kg.graph.rows import Matrix
from kg.graph.sampling import Adjacency, build_adjacency
from kg.graph.split import Graph, Split

__all__ = ["encode", "random_walks", "walk_vectors"]

WINDOW = 5
"""Tokens of context on either side, relations counted."""


def encode(split: Split, raw: Matrix, config: RDF2VecConfig, checkpoint: Path) -> Encoded:
    """word2vec's vectors, at length 1; the text features have no part in them."""
    return by_translation(unit_half(walk_vectors(split.train, config)), split.train)


def walk_vectors(graph: Graph, config: RDF2VecConfig) -> Tensor:
    """Vectors (node, dim) float32; a node without edges keeps the random one it started with.

    One thread: with more, the order of updates and so the result would be left to chance.
    """
    seeded = torch.Generator().manual_seed(config.seed)
    walks = random_walks(build_adjacency(graph), config.walks, config.hops, seeded)
    model = Word2Vec(
        _Sentences(walks, graph.nodes + 2 * len(graph.relations)),
        vector_size=config.dim,
        window=WINDOW,
        alpha=config.learning_rate,
        epochs=config.epochs,
        sg=1,
        min_count=1,
        workers=1,
        seed=config.seed,
    )
    vectors = model.wv[[str(node) for node in range(graph.nodes)]]
    return torch.from_numpy(np.array(vectors))


def random_walks(adjacency: Adjacency, walks: int, hops: int, generator: torch.Generator) -> Tensor:
    """Uniform walks from every node, (node x walks, 2 hops + 1): node, relation, node, ...

    Relation r is the number nodes + r. Behind the only place of a node without edges stands -1.
    """
    node = torch.arange(adjacency.nodes).repeat(walks)
    count = adjacency.start.diff()
    tokens = [node]
    alone = count[node] == 0
    for _ in range(hops):
        draw = torch.rand(len(node), generator=generator, dtype=torch.float64)
        edge = adjacency.start[node] + (draw * count[node]).long()
        # Of a node without edges there is none to look up; any will do, it is not kept.
        edge = edge.clamp(max=len(adjacency.source) - 1)
        tokens.append(adjacency.nodes + adjacency.relation[edge])
        node = torch.where(alone, node, adjacency.source[edge])
        tokens.append(node)
    table = torch.stack(tokens, dim=1)
    table[:, 1:][alone] = -1
    return table


class _Sentences:
    """Walks as lists of words, as often as they are asked for; a word is the token's number."""

    def __init__(self, walks: Tensor, tokens: int) -> None:
        self.walks = walks
        self.words = [str(token) for token in range(tokens)]

    def __iter__(self) -> Iterator[list[str]]:
        for rows in self.walks.split(65_536):
            for row in rows.tolist():
                yield [self.words[token] for token in row if token >= 0]
