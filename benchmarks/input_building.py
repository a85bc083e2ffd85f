"""Token ids and concept vectors to input embeddings: one masked overwrite, beside a search loop.

    python -m benchmarks.input_building --batch 32 --length 500 --concepts 20

The peer does what the published code does: it walks over the ids of each row in Python, and where
it meets a placeholder puts the next mapped vector among the rows' embeddings, one by one. Both give
the same tensor, which is checked. On a GPU where there is one, in seconds of CPU elsewhere.
"""

import argparse
import sys

import torch
from torch import Tensor, nn

from benchmarks.clock import DEVICE, UNIT, seconds

__all__ = ["loop", "overwrite"]

VOCABULARY, REPEATS = 32_000, 5


def overwrite(table: nn.Embedding, ids: Tensor, mapped: Tensor) -> Tensor:
    """As `meg.model.network.ConceptLM.embed` does."""
    mask = ids == VOCABULARY
    return table(ids.masked_fill(mask, 0)).masked_scatter(mask[..., None], mapped)


def loop(table: nn.Embedding, ids: Tensor, mapped: Tensor) -> Tensor:
    """As the published code does: a Python loop over token positions."""
    vectors = iter(mapped)
    rows = []
    for row in ids:
        pieces = []
        for token in row:
            found = next(vectors) if token.item() == VOCABULARY else table(token)
            pieces.append(found[None])
        rows.append(torch.cat(pieces))
    return torch.stack(rows)


def main() -> None:
    """Measure both and print the table."""
    parser = argparse.ArgumentParser(description="time the building of input embeddings")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--length", type=int, default=500)
    parser.add_argument("--concepts", type=int, default=20)
    parser.add_argument("--hidden", type=int, default=576)
    arguments = parser.parse_args()
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(VOCABULARY, (arguments.batch, arguments.length), generator=generator)
    for row in ids:
        row[torch.randperm(arguments.length, generator=generator)[: arguments.concepts]] = (
            VOCABULARY
        )
    ids = ids.to(DEVICE)
    table = nn.Embedding(VOCABULARY, arguments.hidden, device=DEVICE)
    mapped = torch.randn(
        arguments.batch * arguments.concepts, arguments.hidden, generator=generator
    ).to(DEVICE)
    with torch.no_grad():
        assert torch.equal(overwrite(table, ids, mapped), loop(table, ids, mapped))
        ours, theirs = (
            min(seconds(lambda f=f: f(table, ids, mapped)) for _ in range(REPEATS))
            for f in (overwrite, loop)
        )
    sys.stdout.write(
        f"| input building | {UNIT} a batch |\n|---|---|\n"
        f"| masked overwrite | {ours * 1e3:.2f} |\n| loop over tokens | {theirs * 1e3:.1f} |\n"
        f"\n{theirs / ours:.0f} times\n"
    )


if __name__ == "__main__":
    main()
