"""Our SAGE encoder beside a straightforward one: PyG's GraphSAGE over all edges, in full batches.

    python -m benchmarks.full_batch results/kg/hpo --seconds 120

The peer is `torch_geometric.nn.models.GraphSAGE` (mean by scatter) on the same text features with
a DistMult decoder, as PyG's link-prediction examples have it: every step encodes all nodes, then
scores the step's triplets against as many with a random end (binary cross-entropy), in float32, by
Adam at 1e-2. Both get the same CPU seconds and are judged alike. Prints a Markdown table.
"""

import argparse
import time
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch_geometric.nn.models import GraphSAGE

from benchmarks.graph_split import Judge, read_split, trained
from kg.config import SAGEConfig
from kg.evaluation.ranking import Scorer, questions_of
from kg.graph.projection import Standard
from kg.graph.split import Graph, Split

STEP = 16_384
"""Triplets a step; each step encodes the whole graph."""


def ours(split: Split, features: Tensor, width: int, epochs: int) -> Scorer:
    """Our edgegraphsage after so many epochs, as configured by default."""
    config = SAGEConfig(encoder="edgegraphsage", width=width, epochs=epochs, patience=epochs)
    return trained(split, features, config)


def theirs(split: Split, features: Tensor, width: int, epochs: int) -> Scorer:
    """PyG's model after so many epochs."""
    train = split.train
    text = Standard.of(features)(features)
    torch.manual_seed(0)
    encoder = GraphSAGE(features.shape[1], width, num_layers=2)
    relation = nn.Embedding(2 * len(train.relations), width)
    optimizer = torch.optim.Adam([*encoder.parameters(), *relation.parameters()], lr=1e-2)
    edges = torch.cat([train.triplets[:, [0, 2]], train.triplets[:, [2, 0]]]).T
    questions = questions_of(train)
    for _ in range(epochs):
        for rows in torch.randperm(len(questions)).split(2 * STEP):
            vectors = encoder(text, edges)
            loss = _loss(vectors, relation, questions[rows], train)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    with torch.inference_mode():
        vectors = encoder.eval()(text, edges)
    return lambda node, asked: (vectors[node] * relation(asked)) @ vectors.T


def _loss(vectors: Tensor, relation: nn.Embedding, questions: Tensor, train: Graph) -> Tensor:
    node, asked, answer = questions.T
    queries = vectors[node] * relation(asked)
    wrong = torch.randint(train.nodes, answer.shape)
    scores = torch.cat([(queries * vectors[end]).sum(1) for end in (answer, wrong)])
    truth = torch.cat([torch.ones(len(answer)), torch.zeros(len(answer))])
    return F.binary_cross_entropy_with_logits(scores, truth)


def main() -> None:
    """Time an epoch of each, then train each for the same CPU seconds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--width", type=int, default=256)
    arguments = parser.parse_args()
    split, features = read_split(arguments.folder)
    judge = Judge(split)
    print(
        "| encoder | CPU s an epoch | epochs | CPU s | MRR | Hits@10 |\n|---|---|---|---|---|---|"
    )
    for whose, run in {"edgegraphsage, ours": ours, "GraphSAGE, full batch": theirs}.items():
        start = time.process_time()
        run(split, features, arguments.width, 1)
        each = time.process_time() - start
        epochs = max(1, round(arguments.seconds / each))
        start = time.process_time()
        score = run(split, features, arguments.width, epochs)
        spent = time.process_time() - start
        print(f"| {whose} | {each:.1f} | {epochs} | {spent:.0f} | {judge(score)} |")


if __name__ == "__main__":
    main()
