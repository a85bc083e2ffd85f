"""A training epoch with batches as long as their longest example, beside padding to 400 tokens.

    python -m benchmarks.dynamic_lengths results/questions/hpoquiz/train.jsonl

The lengths are those of the questions given, at four bytes a token; longer ones are cut to 400. The
same steps on the same examples in both runs: forward, backward, no optimiser. Seconds of CPU.
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import torch

from benchmarks.small_llm import examples_of, small_network, vectors
from meg.config import PromptConfig
from meg.model.batch import Batch, Collator
from meg.prompts.tokens import Example
from meg.training.objectives import Answer
from meg.training.trainer import LengthGrouped

LONGEST = 400
PROMPT = PromptConfig(answer="text", list_options=False, max_tokens=4 * LONGEST)


def padded(batch: Batch) -> Batch:
    """The batch with its rows filled up to 400 tokens."""
    length = batch["input_ids"].shape[1]
    more = LONGEST - length
    at = batch["logits_at"]
    wide = {
        name: torch.nn.functional.pad(batch[name], (0, more))
        for name in ("input_ids", "position_ids", "attention_mask")
    }
    return batch | wide | {"logits_at": at // length * LONGEST + at % length}


def main() -> None:
    """Measure both and print the table."""
    parser = argparse.ArgumentParser(description="time training steps with and without padding")
    parser.add_argument("questions", type=Path)
    parser.add_argument("--examples", type=int, default=48)
    parser.add_argument("--batch", type=int, default=8)
    arguments = parser.parse_args()
    network, tokens = small_network()
    found = examples_of(arguments.questions, tokens, PROMPT, arguments.examples)
    examples = [
        Example(e.id, e.prefix[: LONGEST - 60], (e.branches[e.gold][:60],), ()) for e in found
    ]
    lengths = [len(example) for example in examples]
    order = list(LengthGrouped(lengths, arguments.batch, seed=0))
    collate = Collator(vectors)
    batches = [
        collate([examples[i] for i in order[start : start + arguments.batch]])
        for start in range(0, len(order), arguments.batch)
    ]
    objective = Answer(network, False, None)
    objective(**batches[0])["loss"].backward()
    seconds = {}
    for name, rows in (("dynamic", batches), ("padded", [padded(b) for b in batches])):
        start = time.process_time()
        losses = [_step(objective, batch) for batch in rows]
        seconds[name] = time.process_time() - start
        sys.stderr.write(f"{name}: mean loss {np.mean(losses):.5f}\n")
    real = sum(lengths)
    sys.stdout.write(
        f"{len(examples)} examples of {np.mean(lengths):.0f} tokens (longest {max(lengths)})\n\n"
        "| batches | CPU s | real tokens a CPU s |\n|---|---|---|\n"
        + "".join(f"| {n} | {s:.1f} | {real / s:.0f} |\n" for n, s in seconds.items())
        + f"\n{seconds['padded'] / seconds['dynamic']:.1f} times\n"
    )


def _step(objective: Answer, batch: Batch) -> float:
    loss = objective(**batch)["loss"]
    loss.backward()
    return float(loss.detach())


if __name__ == "__main__":
    main()
