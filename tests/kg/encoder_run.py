"""A small graph on disk and an encoder's run on it."""

import numpy as np
import polars as pl

from kg.config import ENCODERS, LookupConfig, SAGEConfig, TrainedConfig
from kg.graph.tables import CONCEPTS, read_concepts, write_concepts, write_triplets
from kg.store import write_store
from kg.train import TrainCommand

GROUPS, MEMBERS = 6, 10

SAGE = [name for name, kind in ENCODERS.items() if kind is SAGEConfig]
LOOKUP = [name for name, kind in ENCODERS.items() if kind is LookupConfig]


def write_tables(folder, more=(), alone=()):
    """In each group every disease has every finding but a few; features are random.

    `more`: further (head, relation, tail); `alone`: concepts without triplets.
    """
    generator = np.random.default_rng(0)
    groups = [(group, member) for group in range(GROUPS) for member in range(MEMBERS)]
    cuis = [f"{kind}{group}{member}" for kind in "DF" for group, member in groups]
    facts = [
        (f"D{group}{a}", "has", f"F{group}{b}", "x")
        for group in range(GROUPS) for a in range(MEMBERS) for b in range(MEMBERS)
        if generator.random() < 0.8
    ]  # fmt: skip
    features = generator.normal(size=(len(cuis) + len(alone), 24)).astype(np.float16)
    rows = [(cui, cui, [], ["x"], None) for cui in (*cuis, *alone)]
    concepts = pl.DataFrame(rows, schema=CONCEPTS, orient="row")
    facts += [(*fact, "x") for fact in more]
    triplets = pl.DataFrame(facts, schema=["head", "relation", "tail", "source"], orient="row")
    write_concepts(folder / "concepts.parquet", concepts)
    write_triplets(folder / "triplets.parquet", triplets, concepts)
    order = read_concepts(folder / "concepts.parquet")["cui"]
    write_store(folder / "features.h5", order, features, {}, {})
    return folder


def command(tables, out, encoder="graphsage", **values):
    """The command on the tables; small, with options that the encoder knows."""
    small = {"dim": 16}
    kind = ENCODERS[encoder]
    if kind is SAGEConfig:
        small |= {"width": 16, "spectral_dim": 6, "message_dim": 6}
    if issubclass(kind, TrainedConfig):
        small |= {"epochs": 4, "batch_size": 64, "negatives": 32, "learning_rate": 1e-2}
    if encoder == "rdf2vec":
        small |= {"epochs": 5, "learning_rate": 0.05}
    config = kind(encoder=encoder, **(small | values))
    return TrainCommand(
        concepts=tables / "concepts.parquet",
        triplets=tables / "triplets.parquet",
        features=tables / "features.h5",
        out=out / "out",
        state=out / "state",
        config=config,
    )


def files(out):
    """What a run wrote."""
    return {path.name: path.read_bytes() for path in (out / "out").iterdir()}
