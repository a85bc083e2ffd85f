"""Training by link prediction: a sampled softmax over the nodes for both questions of a triplet."""

import math
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from kg.config import TrainedConfig
from kg.encoders.decoder import Decoder, sampled_softmax_loss
from kg.encoders.inputs import NodeFeatures
from kg.evaluation.ranking import Answers, Scorer, filtered_ranks, questions_of
from kg.graph.sampling import Adjacency, draw_nodes, sample_block
from kg.graph.segments import ranges
from kg.graph.split import Graph
from kg.shared import processes

__all__ = [
    "LinkPredictor",
    "all_vectors",
    "learning_rate_at",
    "ranks_of",
    "scorer_of",
    "seeded_weights",
    "training_steps",
]

WARM_UP = 0.05
"""Part of the steps in which the learning rate rises."""


class LinkPredictor(nn.Module):
    """Encoder and decoder, trained together."""

    def __init__(self, encoder: nn.Module, decoder: Decoder, fanout: int | None = None) -> None:
        """`encoder`: node features and edges to vectors; None features for one that reads none.

        `decoder`: vectors to keys and queries, as in `kg.encoders.decoder`; `fanout`: neighbours
        drawn for a node in training, None: all.
        """
        super().__init__()
        self.encoder, self.decoder, self.fanout = encoder, decoder, fanout

    def forward(
        self,
        batch: Graph,
        features: NodeFeatures | None,
        adjacency: Adjacency,
        config: TrainedConfig,
        generator: torch.Generator,
    ) -> Tensor:
        """Loss of a batch of triplets, their own edges taken out of the messages."""
        questions = questions_of(batch)
        negatives, weight = draw_nodes(adjacency, questions[:, 2], config.negatives, generator)
        nodes, place = torch.unique(
            torch.cat([questions[:, 0], questions[:, 2], negatives]), return_inverse=True
        )
        node, answer, negative = place.split([len(questions), len(questions), len(negatives)])
        hidden = torch.zeros(len(adjacency.pairs), dtype=torch.bool, device=nodes.device)
        hidden[torch.searchsorted(adjacency.pairs, batch.pairs)] = True
        vectors = self.encoder(
            features,
            adjacency,
            nodes,
            fanout=self.fanout,
            generator=generator,
            hidden=hidden,
        )
        vectors = self.decoder.keys(vectors)
        key = questions[:, 0] * adjacency.relations + questions[:, 1]
        asked, of_query = torch.unique(key, return_inverse=True)
        first = torch.empty_like(asked).scatter_(
            0, of_query, torch.arange(len(key), device=key.device)
        )
        queries = self.decoder(vectors[node[first]], questions[first, 1])
        return sampled_softmax_loss(
            queries,
            vectors[answer],
            of_query=of_query,
            negatives=vectors[negative],
            weight=weight,
            known=_known(asked, negatives, adjacency),
        )


@contextmanager
def seeded_weights(seed: int) -> Iterator[None]:
    """Layers that are made inside draw their first weights by the seed.

    They draw from the global generator: it is forked, so that the result depends on the seed alone
    and nobody else's random numbers change.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def training_steps(
    model: nn.Module,
    graph: Graph,
    *,
    features: NodeFeatures | None,
    adjacency: Adjacency,
    config: TrainedConfig,
    generator: torch.Generator,
) -> Iterator[Tensor]:
    """Loss of each batch of one pass over the graph's triplets, in random order.

    `model` is a LinkPredictor, or one wrapped for several processes: each has its share of a batch.
    """
    device = graph.triplets.device
    order = torch.randperm(len(graph), generator=generator, device=device)
    for batch in processes.broadcast(order).split(config.batch_size):
        if len(batch) < processes.count():
            continue  # A last batch that is too small to be shared.
        rows = batch[processes.rank() :: processes.count()]
        with torch.autocast(device.type, torch.bfloat16, enabled=config.bf16):
            yield model(graph.part(rows), features, adjacency, config, generator)


def learning_rate_at(step: int, steps: int, peak: float) -> float:
    """Linear warm-up, then half a cosine to zero."""
    warm = max(1, round(WARM_UP * steps))
    if step < warm:
        return peak * (step + 1) / warm
    return peak / 2 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))


@torch.inference_mode()
def all_vectors(
    model: LinkPredictor, features: NodeFeatures | None, adjacency: Adjacency, bf16: bool
) -> Tensor:
    """The decoder's keys of all nodes from all their neighbours, (node, key) float32."""
    model.eval()
    nodes = torch.arange(adjacency.nodes, device=adjacency.start.device)
    with torch.autocast(nodes.device.type, torch.bfloat16, enabled=bf16):
        vectors = model.encoder(features, adjacency, nodes)
    return model.decoder.keys(vectors.float())


def scorer_of(decoder: Decoder, keys: Tensor) -> Scorer:
    """Scores of all nodes by the decoder, whose keys of them (node, key) are."""
    return lambda node, relation: decoder(keys[node], relation) @ keys.T


@torch.inference_mode()
def ranks_of(decoder: Decoder, keys: Tensor, asked: Graph, known: Answers) -> Tensor:
    """Filtered ranks of both questions of every triplet, (2 x triplet,)."""
    return filtered_ranks(questions_of(asked), scorer_of(decoder, keys), known)


def _known(asked: Tensor, negatives: Tensor, adjacency: Adjacency) -> tuple[Tensor, Tensor]:
    """Which questions (key, sorted) have which negatives as an answer in the graph, two (pair,)."""
    block = sample_block(adjacency, negatives, None)
    key = block.source * adjacency.relations + block.relation
    negative = ranges(block.start.diff())[0]
    query = torch.searchsorted(asked, key).clamp(max=len(asked) - 1)
    found = asked[query] == key
    return query[found], negative[found]
