"""Training by link prediction: a sampled softmax over the nodes for both questions of a triplet."""

import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from kg.config import EncoderConfig
from kg.decoder import ComplEx, sampled_softmax_loss
from kg.encoder import GraphEncoder
from kg.graph import Graph
from kg.ranking import Answers, filtered_ranks, questions_of
from kg.sampling import Adjacency, ranges, sample_block

__all__ = ["LinkPredictor", "all_vectors", "learning_rate_at", "ranks_of", "training_steps"]

WARM_UP = 0.05
"""Part of the steps in which the learning rate rises."""


class LinkPredictor(nn.Module):
    """Encoder and decoder, trained together."""

    def __init__(self, features: int, relations: int, config: EncoderConfig) -> None:
        """`features`: width of the text features; `relations`: of the graph, without inverses."""
        super().__init__()
        seen = 2 * relations if config.encoder == "edgegraphsage" else 0
        # Layers draw their initial weights from the global generator: fork it, so that the
        # result depends on the seed alone and nobody else's random numbers change.
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            self.encoder = GraphEncoder(features, config.width, config.layers, seen)
            self.decoder = ComplEx(2 * relations, config.width)

    def forward(
        self,
        batch: Graph,
        features: Tensor,
        adjacency: Adjacency,
        config: EncoderConfig,
        generator: torch.Generator,
    ) -> Tensor:
        """Loss of a batch of triplets, their own edges taken out of the messages."""
        questions = questions_of(batch)
        negatives = torch.randint(
            batch.nodes, (config.negatives,), generator=generator, device=features.device
        )
        nodes, place = torch.unique(
            torch.cat([questions[:, 0], questions[:, 2], negatives]), return_inverse=True
        )
        node, answer, negative = place.split([len(questions), len(questions), len(negatives)])
        hidden = torch.zeros(len(adjacency.pairs), dtype=torch.bool, device=features.device)
        hidden[torch.searchsorted(adjacency.pairs, batch.pairs)] = True
        vectors = self.encoder(
            features,
            adjacency,
            nodes,
            fanout=config.fanout,
            generator=generator,
            hidden=hidden,
        )
        vectors = self.decoder.unit(vectors)
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
            known=_known(asked, negatives, adjacency),
            nodes=batch.nodes,
        )


def training_steps(
    model: LinkPredictor,
    graph: Graph,
    *,
    features: Tensor,
    adjacency: Adjacency,
    config: EncoderConfig,
    generator: torch.Generator,
) -> Iterator[Tensor]:
    """Loss of each batch of one pass over the graph's triplets, in random order."""
    order = torch.randperm(len(graph), generator=generator, device=features.device)
    for rows in order.split(config.batch_size):
        with torch.autocast(features.device.type, torch.bfloat16, enabled=config.bf16):
            yield model(graph.part(rows), features, adjacency, config, generator)


def learning_rate_at(step: int, steps: int, peak: float) -> float:
    """Linear warm-up, then half a cosine to zero."""
    warm = max(1, round(WARM_UP * steps))
    if step < warm:
        return peak * (step + 1) / warm
    return peak / 2 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))


@torch.inference_mode()
def all_vectors(
    encoder: GraphEncoder, features: Tensor, adjacency: Adjacency, bf16: bool
) -> Tensor:
    """Unit vectors of all nodes from all their neighbours, (node, width) float32."""
    encoder.eval()
    with torch.autocast(features.device.type, torch.bfloat16, enabled=bf16):
        vectors = encoder(
            features, adjacency, torch.arange(adjacency.nodes, device=features.device)
        )
    return ComplEx.unit(vectors.float())


@torch.inference_mode()
def ranks_of(decoder: ComplEx, vectors: Tensor, asked: Graph, known: Answers) -> Tensor:
    """Filtered ranks of both questions of every triplet, (2 x triplet,)."""

    def score(node: Tensor, relation: Tensor) -> Tensor:
        return decoder(vectors[node], relation) @ vectors.T

    return filtered_ranks(questions_of(asked), score, known)


def _known(asked: Tensor, negatives: Tensor, adjacency: Adjacency) -> Tensor:
    """Which negatives answer which question (key, sorted) in the graph, (query, negative) bool."""
    block = sample_block(adjacency, negatives, None)
    key = block.source * adjacency.relations + block.relation
    negative = ranges(block.start.diff())[0]
    query = torch.searchsorted(asked, key).clamp(max=len(asked) - 1)
    found = asked[query] == key
    known = torch.zeros(len(asked), len(negatives), dtype=torch.bool, device=asked.device)
    known[query[found], negative[found]] = True
    return known
