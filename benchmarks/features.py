"""Names through the text encoder: batches of like length, beside one by one and beside padding.

    python -m benchmarks.features results/kg/hpo/concepts.parquet --model MODEL

All three encode the same names with the same weights, on the same device: `kg.features`, in batches
of like length; batches of 64 in the order of the table, padded to 25 tokens each, as is usual; and
a name at a time. Prints a Markdown table of names a CPU second (a second on a GPU).
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch

from kg.config import FeaturesConfig
from kg.features import encode_names, load_encoder
from kg.graph.tables import read_concepts

BATCH = 64


def main() -> None:
    """Measure the three and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("concepts", type=Path)
    parser.add_argument("--model", default=FeaturesConfig().model)
    parser.add_argument("--pooling", default="mean", choices=["mean", "cls"])
    parser.add_argument("--names", type=int, default=2000)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    config = FeaturesConfig(model=arguments.model, pooling=arguments.pooling)
    tokenizer, model = load_encoder(config)
    names = read_concepts(arguments.concepts)["name"].sample(arguments.names, seed=0).to_list()

    def ours(part: Sequence[str]) -> np.ndarray:
        out = np.full((len(part), model.config.hidden_size), np.nan, dtype=np.float32)
        encode_names(part, tokenizer, model, config, out)
        return out

    @torch.inference_mode()
    def padded(part: Sequence[str], size: int = BATCH) -> np.ndarray:
        rows = []
        for start in range(0, len(part), size):
            inputs = tokenizer(
                [name.lower() for name in part[start : start + size]],
                padding="max_length" if size > 1 else False,
                truncation=True,
                max_length=config.max_tokens,
                return_tensors="pt",
            ).to(model.device)
            hidden = model(**inputs).last_hidden_state.float()
            mask = inputs["attention_mask"].unsqueeze(-1)
            mean = (hidden * mask).sum(1) / mask.sum(1)
            rows.append(hidden[:, 0] if config.pooling == "cls" else mean)
        return torch.cat(rows).cpu().numpy()

    few = names[: max(1, len(names) // 4)]
    ways: dict[str, tuple[Callable[[Sequence[str]], np.ndarray], Sequence[str]]] = {
        "kg.features": (ours, names),
        f"batches of {BATCH}, padded": (padded, names),
        "one by one": (lambda part: padded(part, 1), few),
    }
    expected = ours(few)
    print("| way | names a CPU second | times slower | worst difference |\n|---|---|---|---|")
    first = 0.0
    for name, (way, part) in ways.items():
        way(part[:BATCH])  # The first call is slower.
        start = _clock(model)
        found = way(part)
        speed = len(part) / (_clock(model) - start)
        first = first or speed
        worst = np.abs(found[: len(few)] - expected).max()
        print(f"| {name} | {speed:.0f} | {first / speed:.1f} | {worst:.0e} |")
        sys.stdout.flush()


def _clock(model: torch.nn.Module) -> float:
    """CPU seconds; on a GPU, which works while the CPU waits, seconds."""
    if next(model.parameters()).device.type == "cpu":
        return time.process_time()
    torch.cuda.synchronize()
    return time.perf_counter()


if __name__ == "__main__":
    main()
