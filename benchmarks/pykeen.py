"""Our encoders beside PyKEEN's: same split, width, and CPU seconds.

    python -m benchmarks.pykeen results/kg/hpo --seconds 120 [--peers] [--models complex rotate]

Each model trains for about the same CPU seconds: one epoch is timed, then as many are run as fit.
PyKEEN trains with inverse triplets and Adam: ComplEx by its LCWA loop (cross-entropy over all
concepts, in PyKEEN one matrix product for ComplEx only), DistMult and RotatE by sLCWA with 32
negatives a triplet and the NSSA loss. Its default start for ComplEx and DistMult is so wide that
40 epochs do not leave it: they get Xavier's and no norm. Of both the best epoch by validation MRR
counts, and both are judged by our ranks over the same questions. Prints a Markdown table; needs
the extra `bench`.
"""

import argparse
import time
from pathlib import Path

import torch
from pykeen.evaluation import RankBasedEvaluator
from pykeen.models import ComplEx, DistMult, RotatE
from pykeen.stoppers import EarlyStopper
from pykeen.training import LCWATrainingLoop, SLCWATrainingLoop
from pykeen.triples import CoreTriplesFactory

from benchmarks.graph_split import Judge, read_split, trained
from kg.config import ENCODERS
from kg.evaluation.ranking import Scorer
from kg.graph.split import Split

START = {"entity_initializer": "xavier_normal", "relation_initializer": "xavier_normal"}
MODELS = {
    "distmult": (DistMult, START | {"entity_constrainer": None}),
    "complex": (ComplEx, START),
    "rotate": (RotatE, {}),
}
BY_PRODUCT = ("complex",)
RATE, THEIR_RATE = 2e-3, 1e-2
"""Of the look-up encoders: at 2e-2 ours overfit within an epoch or two, at 2e-3 PyKEEN's crawl."""

LOOKS = 8
"""How often PyKEEN looks at the validation triplets."""


def ours(name: str, split: Split, features: torch.Tensor, dim: int, epochs: int) -> Scorer:
    """Our encoder after so many epochs."""
    rate = {"learning_rate": RATE} if name in MODELS else {"lineage": 0}
    settings = {"dim": dim, "epochs": epochs, "patience": epochs, **rate}
    config = ENCODERS[name](encoder=name, **settings)
    return trained(split, features, config)


def theirs(name: str, split: Split, dim: int, epochs: int) -> Scorer:
    """PyKEEN's model after so many epochs; ComplEx and RotatE have dim / 2 complex numbers."""
    train = split.train
    factory = CoreTriplesFactory(
        train.triplets, train.nodes, len(train.relations), create_inverse_triples=True
    )
    width = dim if name == "distmult" else dim // 2
    product = name in BY_PRODUCT
    kind, start = MODELS[name]
    model = kind(
        triples_factory=factory,
        embedding_dim=width,
        loss="crossentropy" if product else "nssa",
        random_seed=0,
        **start,
    )
    watched = CoreTriplesFactory(split.validation.triplets, train.nodes, len(train.relations))
    stopper = EarlyStopper(
        model=model,
        evaluator=RankBasedEvaluator(),
        training_triples_factory=factory,
        evaluation_triples_factory=watched,
        frequency=max(1, epochs // LOOKS),
        patience=LOOKS,
        metric="both.realistic.inverse_harmonic_mean_rank",
        relative_delta=0,
    )
    parts = {
        "model": model,
        "triples_factory": factory,
        "optimizer": torch.optim.Adam(model.parameters(), lr=THEIR_RATE),
    }
    if product:
        loop = LCWATrainingLoop(**parts)
    else:
        loop = SLCWATrainingLoop(**parts, negative_sampler_kwargs={"num_negs_per_pos": 32})
    size = 512 if product else 1024
    loop.train(factory, num_epochs=epochs, batch_size=size, use_tqdm=False, stopper=stopper)
    count = len(train.relations)

    def score(node: torch.Tensor, relation: torch.Tensor) -> torch.Tensor:
        # predict_h asks for heads by the inverse relation, as ours are asked for.
        out = torch.empty(len(node), train.nodes)
        tails = relation < count
        pairs = torch.stack([node, relation % count], dim=1)
        if tails.any():
            out[tails] = model.predict_t(pairs[tails])
        if (~tails).any():
            out[~tails] = model.predict_h(pairs[~tails].flip(1))
        return out

    return score


def main() -> None:
    """Time an epoch of each, then train each for the same CPU seconds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--dim", type=int, default=256)
    parser.add_argument("--peers", action="store_true", help="of our encoders only edgegraphsage")
    names = (*MODELS, "edgegraphsage")
    parser.add_argument("--models", nargs="+", choices=names, default=names)
    arguments = parser.parse_args()
    split, features = read_split(arguments.folder)
    judge = Judge(split)
    print("| model | CPU s an epoch | epochs | CPU s | MRR | Hits@10 |\n|---|---|---|---|---|---|")
    for name in arguments.models:
        runs = {}
        if name not in MODELS or not arguments.peers:
            runs["ours"] = lambda epochs, name=name: ours(
                name, split, features, arguments.dim, epochs
            )
        if name in MODELS:
            runs["PyKEEN"] = lambda epochs, name=name: theirs(name, split, arguments.dim, epochs)
        for whose, run in runs.items():
            start = time.process_time()
            run(1)
            each = time.process_time() - start
            epochs = max(1, round(arguments.seconds / each))
            start = time.process_time()
            score = run(epochs)
            spent = time.process_time() - start
            cells = f"{name}, {whose} | {each:.1f} | {epochs} | {spent:.0f} | {judge(score)}"
            print(f"| {cells} |", flush=True)


if __name__ == "__main__":
    main()
