"""An epoch of our SAGE encoder on a graph of the published size, with degrees as UMLS has them.

    python -m benchmarks.graph_300k [--nodes 300000] [--triplets 1200000] [--steps 20]

The graph is invented: ends drawn by weights that fall as a power of their rank (exponent 0.8: a
few hubs, a long tail), 100 relations by Zipf's law, random features. It says how fast, not how
good. Runs on a GPU where there is one. Some steps are timed (all: `--steps 0`) and counted up.
"""

import argparse
import time

import numpy as np
import torch
from torch import Tensor

from kg.config import EncoderConfig
from kg.graph import Graph
from kg.inputs import node_features
from kg.link_prediction import LinkPredictor, training_steps
from kg.sampling import build_adjacency

EXPONENT = 0.8
RELATIONS = 100


def invented_graph(nodes: int, triplets: int, seed: int = 0) -> Graph:
    """About so many different triplets; every node is a head at least once."""
    rng = np.random.default_rng(seed)
    weight = np.arange(1, nodes + 1) ** -EXPONENT
    rank = rng.permutation(nodes)
    tail = rank[rng.choice(nodes, triplets, p=weight / weight.sum())]
    drawn = rank[rng.choice(nodes, triplets - nodes, p=weight / weight.sum())]
    head = np.concatenate([rank, drawn])
    kinds = 1 / np.arange(1, RELATIONS + 1)
    relation = rng.choice(RELATIONS, triplets, p=kinds / kinds.sum())
    rows = torch.from_numpy(np.stack([head, relation, tail], axis=1))
    rows = torch.unique(rows[rows[:, 0] != rows[:, 2]], dim=0)
    return Graph(nodes, tuple(f"r{code}" for code in range(RELATIONS)), rows)


def timed(graph: Graph, features: Tensor, config: EncoderConfig, steps: int) -> tuple[float, float]:
    """Wall and CPU seconds of a training step, after one that is not counted."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    spectral = torch.randn(graph.nodes, config.message_dim)
    inputs = node_features(features, spectral).to(device)
    inputs = inputs.half() if config.bf16 else inputs
    graph = graph.to(device)
    model = LinkPredictor(inputs, len(graph.relations), config, graph.nodes).to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=config.learning_rate)
    batches = training_steps(
        model,
        graph,
        features=inputs,
        adjacency=build_adjacency(graph),
        config=config,
        generator=torch.Generator(device).manual_seed(0),
    )
    wall = cpu = 0.0
    done = 0
    for done, loss in enumerate(batches):
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        float(loss.detach())  # waits for the GPU
        if done == 0:
            wall, cpu = time.perf_counter(), time.process_time()
        if done == steps > 0:
            break
    return (time.perf_counter() - wall) / done, (time.process_time() - cpu) / done


def main() -> None:
    """Print the time of a step and of an epoch."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nodes", type=int, default=300_000)
    parser.add_argument("--triplets", type=int, default=1_200_000)
    parser.add_argument("--features", type=int, default=768)
    parser.add_argument("--batch", type=int, default=4096)
    parser.add_argument("--steps", type=int, default=20)
    arguments = parser.parse_args()
    config = EncoderConfig(encoder="edgegraphsage", batch_size=arguments.batch)
    graph = invented_graph(arguments.nodes, arguments.triplets)
    degree = torch.bincount(graph.triplets[:, [0, 2]].flatten(), minlength=graph.nodes)
    features = torch.randn(arguments.nodes, arguments.features)
    wall, cpu = timed(graph, features, config, arguments.steps)
    steps = -(-len(graph) // config.batch_size)
    print(
        f"{graph.nodes} nodes, {len(graph)} triplets, degree: median {int(degree.median())}, "
        f"highest {int(degree.max())}\n"
        f"a step of {config.batch_size}: {wall:.3f} s, {cpu:.3f} CPU s; an epoch of {steps} steps: "
        f"{wall * steps:.0f} s, {cpu * steps:.0f} CPU s"
    )


if __name__ == "__main__":
    main()
