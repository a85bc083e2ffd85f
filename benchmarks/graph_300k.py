"""An epoch of our SAGE encoder on a graph of the published size, with degrees as UMLS has them.

    python -m benchmarks.graph_300k [--nodes 300000] [--triplets 1200000] [--steps 20]

The graph is invented: ends drawn by weights that fall as a power of their rank (exponent 0.8: a
few hubs, a long tail), 100 relations by Zipf's law, random features. It says how fast, not how
good. Runs on a GPU where there is one. Some steps are timed (all: `--steps 0`) and counted up.
"""

import argparse
import time

import torch
from torch import Tensor

from kg.config import SAGEConfig
from kg.encoders.graphsage import sage_model
from kg.encoders.inputs import NodeFeatures
from kg.encoders.link_prediction import training_steps
from kg.graph.sampling import build_adjacency
from kg.graph.split import Graph
from kg.shared import processes
from kg.shared.precision import as_computed

EXPONENT = 0.8
RELATIONS = 100


def invented_graph(nodes: int, triplets: int, device: torch.device, seed: int = 0) -> Graph:
    """About so many different triplets; every node is a head at least once."""
    generator = torch.Generator(device).manual_seed(seed)

    def drawn(count: int, among: int, exponent: float) -> Tensor:
        share = torch.arange(1, among + 1, dtype=torch.float64, device=device) ** -exponent
        total = share.cumsum(0)
        place = torch.rand(count, generator=generator, dtype=torch.float64, device=device)
        return torch.searchsorted(total, place * total[-1]).clamp(max=among - 1)

    rank = torch.randperm(nodes, generator=generator, device=device)
    tail = rank[drawn(triplets, nodes, EXPONENT)]
    head = torch.cat([rank, rank[drawn(triplets - nodes, nodes, EXPONENT)]])
    fact = (head * RELATIONS + drawn(triplets, RELATIONS, 1)) * nodes + tail
    fact = torch.unique(fact[head != tail])
    pair, tail = fact // nodes, fact % nodes
    rows = torch.stack([pair // RELATIONS, pair % RELATIONS, tail], dim=1)
    return Graph(nodes, tuple(f"r{code}" for code in range(RELATIONS)), rows)


def timed(graph: Graph, features: int, config: SAGEConfig, steps: int) -> tuple[float, float]:
    """Wall and CPU seconds of a training step, after one that is not counted."""
    device = graph.triplets.device
    dtype = torch.bfloat16 if config.bf16 else torch.float32
    widths = features, 2 * config.message_dim
    inputs = NodeFeatures(
        *(torch.randn(graph.nodes, width, device=device, dtype=dtype) for width in widths)
    )
    model = sage_model(*widths, len(graph.relations), config, graph.nodes).to(device)
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
    config = SAGEConfig(encoder="edgegraphsage", batch_size=arguments.batch)
    device = processes.device()
    graph = invented_graph(arguments.nodes, arguments.triplets, device)
    degree = torch.bincount(graph.triplets[:, [0, 2]].flatten(), minlength=graph.nodes)
    wall, cpu = timed(graph, arguments.features, as_computed(config), arguments.steps)
    steps = -(-len(graph) // config.batch_size)
    print(
        f"{_name(device)}: {graph.nodes} nodes, {len(graph)} triplets, "
        f"degree: median {int(degree.median())}, highest {int(degree.max())}\n"
        f"a step of {config.batch_size}: {wall:.3f} s, {cpu:.3f} CPU s; an epoch of {steps} steps: "
        f"{wall * steps:.1f} s, {cpu * steps:.1f} CPU s"
        + (
            f"; peak {torch.cuda.max_memory_allocated() / 1e9:.1f} GB"
            if device.type == "cuda"
            else ""
        )
    )


def _name(device: torch.device) -> str:
    return torch.cuda.get_device_name() if device.type == "cuda" else "CPU"


if __name__ == "__main__":
    main()
