"""Our look-up encoders beside PyKEEN's of the same name: same split, width, and CPU seconds.

    python -m benchmarks.pykeen results/kg/hpo --seconds 120

Each model trains for about the same CPU seconds: one epoch is timed, then as many are run as fit.
PyKEEN trains by its sLCWA loop with inverse triplets, 32 negatives a triplet, softplus or NSSA
loss and Adam at our rate; both are judged by our ranks over the same questions. Prints a Markdown
table; needs the extra `bench`.
"""

import argparse
import time
from pathlib import Path

import torch
from pykeen.models import ComplEx, DistMult, RotatE
from pykeen.training import SLCWATrainingLoop
from pykeen.triples import CoreTriplesFactory

from benchmarks.graph_split import Judge, read_split
from kg.config import EncoderConfig
from kg.encode import encode
from kg.graph import Split
from kg.ranking import Scorer

MODELS = {"distmult": DistMult, "complex": ComplEx, "rotate": RotatE}
LOSSES = {"distmult": "softplus", "complex": "softplus", "rotate": "nssa"}
STATE = Path("checkpoint.benchmark.pt")
RATE = 2e-3
"""Of both; 2e-2 overfits within an epoch or two."""


def ours(name: str, split: Split, features: torch.Tensor, dim: int, epochs: int) -> Scorer:
    """Our encoder after so many epochs."""
    config = EncoderConfig(
        encoder=name, dim=dim, epochs=epochs, patience=epochs, learning_rate=RATE
    )
    scorer = encode(split, features, config, STATE).score
    STATE.unlink()
    return scorer


def theirs(name: str, split: Split, dim: int, epochs: int) -> Scorer:
    """PyKEEN's model after so many epochs; ComplEx and RotatE have dim / 2 complex numbers."""
    train = split.train
    factory = CoreTriplesFactory(
        train.triplets, train.nodes, len(train.relations), create_inverse_triples=True
    )
    width = dim if name == "distmult" else dim // 2
    model = MODELS[name](
        triples_factory=factory, embedding_dim=width, loss=LOSSES[name], random_seed=0
    )
    loop = SLCWATrainingLoop(
        model=model,
        triples_factory=factory,
        optimizer=torch.optim.Adam(model.parameters(), lr=RATE),
        negative_sampler_kwargs={"num_negs_per_pos": 32},
    )
    loop.train(factory, num_epochs=epochs, batch_size=4096, use_tqdm=False)
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
    arguments = parser.parse_args()
    split, features = read_split(arguments.folder)
    judge = Judge(split)
    print("| model | CPU s an epoch | epochs | CPU s | MRR | Hits@10 |\n|---|---|---|---|---|---|")
    for name in MODELS:
        runs = {
            "ours": lambda epochs, name=name: ours(name, split, features, arguments.dim, epochs),
            "PyKEEN": lambda epochs, name=name: theirs(name, split, arguments.dim, epochs),
        }
        for whose, run in runs.items():
            start = time.process_time()
            run(1)
            each = time.process_time() - start
            epochs = max(1, round(arguments.seconds / each))
            start = time.process_time()
            score = run(epochs)
            spent = time.process_time() - start
            print(f"| {name}, {whose} | {each:.1f} | {epochs} | {spent:.0f} | {judge(score)} |")


if __name__ == "__main__":
    main()
