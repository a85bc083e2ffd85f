"""Token ids and concept vectors to input embeddings: one masked overwrite, beside a pattern search.

    python -m benchmarks.input_building --batch 32 --length 500 --concepts 20

The peer does what the published code does: one look-up of all ids, then in each row a search for
the tokens that stand for the vectors, position by position, and the row put together from what
stands before them, the mapped vectors and what stands behind. Ours has one placeholder a vector
there. Both give the same tensor, which is checked. On a GPU where there is one, in seconds of CPU
elsewhere.
"""

import argparse
import sys

import torch
from torch import Tensor, nn

from benchmarks.clock import DEVICE, UNIT, seconds

__all__ = ["overwrite", "search"]

VOCABULARY, REPEATS = 32_000, 5
PATTERN = torch.tensor([11, 12, 13, 14, 15, 16])
"""The tokens that stand for a question's vectors; six for Mistral."""


def overwrite(table: nn.Embedding, ids: Tensor, mapped: Tensor) -> Tensor:
    """As `meg.model.network.ConceptLM.embed` does; `mapped` (batch, concept, hidden)."""
    mask = ids == VOCABULARY
    return table(ids.masked_fill(mask, 0)).masked_scatter(mask[..., None], mapped)


def search(table: nn.Embedding, ids: Tensor, mapped: Tensor) -> Tensor:
    """As the published code does."""
    embedded = table(ids)
    pattern = PATTERN.to(ids.device)
    rows = []
    for row, found, vectors in zip(ids, embedded, mapped, strict=True):
        places = range(len(row) - len(pattern) + 1)
        start = next(i for i in places if torch.equal(row[i : i + len(pattern)], pattern))
        rows.append(torch.cat([found[:start], vectors, found[start + len(pattern) :]]))
    return torch.stack(rows)


def main() -> None:
    """Measure both and print the table."""
    parser = argparse.ArgumentParser(description="time the building of input embeddings")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--length", type=int, default=500)
    parser.add_argument("--concepts", type=int, default=20)
    parser.add_argument("--hidden", type=int, default=576)
    parser.add_argument("--start", type=int, default=30, help="tokens before the vectors")
    arguments = parser.parse_args()
    generator = torch.Generator().manual_seed(0)
    around = torch.randint(
        20,
        VOCABULARY,
        (arguments.batch, arguments.length - arguments.concepts),
        generator=generator,
    )
    places = torch.full((arguments.concepts,), VOCABULARY)
    start = arguments.start
    ours, theirs = (
        torch.stack([torch.cat([row[:start], block, row[start:]]) for row in around]).to(DEVICE)
        for block in (places, PATTERN)
    )
    table = nn.Embedding(VOCABULARY, arguments.hidden, device=DEVICE)
    mapped = torch.randn(
        arguments.batch, arguments.concepts, arguments.hidden, generator=generator
    ).to(DEVICE)
    with torch.no_grad():
        assert torch.equal(overwrite(table, ours, mapped), search(table, theirs, mapped))
        masked, searched = (
            min(seconds(lambda f=f, ids=ids: f(table, ids, mapped)) for _ in range(REPEATS))
            for f, ids in ((overwrite, ours), (search, theirs))
        )
    sys.stdout.write(
        f"| input building | {UNIT} a batch |\n|---|---|\n"
        f"| masked overwrite | {masked * 1e3:.2f} |\n| pattern search | {searched * 1e3:.1f} |\n"
        f"\n{searched / masked:.1f} times\n"
    )


if __name__ == "__main__":
    main()
