"""Memory that `kg.train` takes for text features, on a graph of a given size, without training.

    python -m benchmarks.graph_memory [--nodes 1000000] [--triplets 3000000] [--asked 0]

Writes an invented graph (`benchmarks.graph_300k`, a sixth of its links a hierarchy) with random
features and runs the command on it, computing in bf16 as on a GPU. No epoch is run, and what takes
long and reads no features is random: the spectral embedding and the decoder's keys. `--asked`:
measure as well, with so many test triplets whose links are predicted. Prints the highest resident
memory, as Linux has it, and the highest part of it that is no mapped file.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event, Thread
from unittest.mock import patch

import numpy as np
import polars as pl
import torch

from benchmarks.graph_300k import invented_graph
from kg.config import SAGEConfig
from kg.evaluation.metrics import GraphCounts
from kg.graph.tables import CONCEPTS, write_concepts, write_triplets
from kg.store import write_store
from kg.train import TrainCommand

FEATURES = 768
GB = 1e6
"""Of the kB in which Linux counts."""


def write_inputs(folder: Path, nodes: int, triplets: int) -> None:
    """The two tables and features.h5."""
    graph = invented_graph(nodes, triplets)
    cuis = np.array([f"C{node:07}" for node in range(nodes)], dtype=object)
    concepts = pl.DataFrame({"cui": cuis, "name": cuis}, schema_overrides={"cui": pl.String})
    concepts = concepts.with_columns(
        pl.lit([]).alias("synonyms"),
        pl.lit(["T047"]).alias("semantic_types"),
        pl.lit(None).alias("definition"),
    ).cast(CONCEPTS)
    names = np.array(["is_a", *graph.relations[1:]], dtype=object)
    head, relation, tail = graph.triplets.numpy().T
    facts = {"head": cuis[head], "relation": names[relation], "tail": cuis[tail]}
    write_concepts(folder / "concepts.parquet", concepts)
    frame = pl.DataFrame(facts).with_columns(source=pl.lit("x"))
    write_triplets(folder / "triplets.parquet", frame, concepts)
    features, rng = np.empty((nodes, FEATURES), np.float16), np.random.default_rng(0)
    for row in features:
        row[:] = rng.standard_normal(FEATURES, dtype=np.float32)
    write_store(folder / "features.h5", concepts["cui"], features, {}, {})


@contextmanager
def untrained(asked: int) -> Iterator[None]:
    """`kg.train` without epochs; it measures only when `asked` is not 0."""
    ranks = dict.fromkeys(("mrr", "hits@1", "hits@3", "hits@10"), 0.0) | {"n": 0}
    macro = {f"macro_{key}": 0.0 for key in ranks if key != "n"}
    nothing = {
        "graph": dict.fromkeys(GraphCounts.model_fields, 0),
        "link_prediction": {"test": ranks | macro | {"by_relation": {}}},
        "relation_classification": {},
        "probes": {},
    }
    patches = {
        "kg.encoders.graphsage.as_computed": lambda config: config,
        "kg.encoders.graphsage.spectral_embedding": lambda graph, dim, seeded: torch.randn(
            graph.nodes, dim
        ),
        "kg.encoders.graphsage.train_encoder": lambda *arguments: [],
        "kg.encoders.graphsage.final_keys": lambda model, features, train, bf16: torch.randn(
            train.nodes, len(model.decoder.relation[0])
        ),
        "kg.evaluation.measures.MOST_ASKED": asked,
    }
    if not asked:
        patches["kg.train.measure"] = lambda *arguments, **named: nothing
    with ExitStack() as stack:
        for name, value in patches.items():
            stack.enter_context(patch(name, value))
        yield


def status(key: str) -> float:
    """A line of the process's status, GB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / GB for line in lines if line.startswith(key + ":"))


def watch(over: Event, highest: list[float]) -> None:
    """Append to `highest` what is resident and no file."""
    while not over.wait(0.01):
        highest.append(max(status("RssAnon"), highest[-1]))


def main() -> None:
    """Write, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nodes", type=int, default=1_000_000)
    parser.add_argument("--triplets", type=int, default=3_000_000)
    parser.add_argument("--asked", type=int, default=0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_inputs(folder, arguments.nodes, arguments.triplets)
        command = TrainCommand(
            **{one: folder / f"{one}.parquet" for one in ("concepts", "triplets")},
            features=folder / "features.h5",
            out=folder / "out",
            state=folder,
            config=SAGEConfig(encoder="edgegraphsage"),
        )
        Path("/proc/self/clear_refs").write_text("5")  # The highest is from now on.
        over, highest = Event(), [0.0]
        before = status("RssAnon")
        watcher = Thread(target=watch, args=(over, highest))
        watcher.start()
        wall, cpu = time.perf_counter(), time.process_time()
        with untrained(arguments.asked):
            command.run()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        over.set()
        watcher.join()
        size = (folder / "features.h5").stat().st_size / 1e9
    print(
        f"{arguments.nodes} nodes, features {size:.2f} GB: {status('VmHWM'):.2f} GB at most, "
        f"{highest[-1]:.2f} GB of them no file ({before:.2f} GB before); "
        f"{wall:.0f} s, {cpu:.0f} CPU s"
    )


if __name__ == "__main__":
    main()
