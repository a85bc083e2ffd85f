"""Options scored in one forward over a shared prefix, beside a row an option and beside writing.

    python -m benchmarks.option_scoring results/questions/hpoquiz/test.jsonl

All answer the same 4-option questions with the same model: the options' likelihoods with the prefix
computed once; the same with the whole prompt in front of each option; and 30 tokens written
greedily, as the published evaluation does. On a GPU where there is one, in seconds of CPU
elsewhere. With --base a real LLM is asked, with --shape one of published shape, random weights.
"""

import argparse
import sys
from pathlib import Path

import torch

from benchmarks.clock import DEVICE, UNIT, seconds
from benchmarks.gpu import LLMS, random_llm
from benchmarks.small_llm import KGE, examples_of, small_network, vectors
from meg.base import byte_tokenizer
from meg.config import MapperConfig, ModelConfig, PromptConfig
from meg.inference.generation import left_padded
from meg.model.batch import Batch, Collator
from meg.model.checkpoint import build
from meg.model.mapper import Mapper
from meg.model.network import ConceptLM
from meg.model.scores import inputs_of, option_scores
from meg.prompts.tokens import Tokens

WRITTEN = 30


def main() -> None:
    """Measure the three and print the table."""
    parser = argparse.ArgumentParser(description="time ways to answer multiple-choice questions")
    parser.add_argument("questions", type=Path)
    parser.add_argument("--examples", type=int, default=32)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--answer", choices=["letter", "text"], default="letter")
    parser.add_argument("--base", help="folder of an LLM, instead of a small random one")
    parser.add_argument("--shape", choices=LLMS, help="random weights in this shape")
    parser.add_argument("--dtype", choices=["float32", "bfloat16"], default="float32")
    arguments = parser.parse_args()
    network, tokens = _model(arguments)
    network.to(DEVICE).eval()
    prompt = PromptConfig(answer=arguments.answer)
    shrink = 4 if arguments.base is None else 1
    examples = examples_of(arguments.questions, tokens, prompt, arguments.examples, shrink)
    batches = [
        examples[start : start + arguments.batch]
        for start in range(0, len(examples), arguments.batch)
    ]

    def score(longest_shared: int = sys.maxsize) -> torch.Tensor:
        collate = Collator(vectors, network.dtype, longest_shared=longest_shared)
        return torch.cat([_scores(network, collate(batch)) for batch in batches])

    def write() -> None:
        for batch in batches:
            # No token ends the text: how soon a trained model would stop is not known.
            network.generate(
                **{name: value.to(DEVICE) for name, value in left_padded(batch, vectors).items()},
                max_new_tokens=WRITTEN,
                eos_token_id=tokens.placeholder,
                pad_token_id=0,
            )

    with torch.no_grad():
        worst = (score() - score(0)).abs().max()
        rows = {
            "shared prefix": seconds(score),
            "a row an option": seconds(lambda: score(0)),
            f"writing {WRITTEN} tokens": seconds(write),
        }
    prefix = sum(len(example.prefix) for example in examples) / len(examples)
    ours = rows["shared prefix"]
    sys.stdout.write(
        f"{len(examples)} questions, prefix of {prefix:.0f} tokens; scores agree to {worst:.0e}\n\n"
        f"| way | {UNIT} a question | times |\n|---|---|---|\n"
    )
    for name, took in rows.items():
        each = took / len(examples) * 1e3
        sys.stdout.write(f"| {name} | {each:.1f} | {took / ours:.1f} |\n")


def _model(arguments: argparse.Namespace) -> tuple[ConceptLM, Tokens]:
    if arguments.shape:
        tokens = Tokens(byte_tokenizer())
        llm = random_llm(*LLMS[arguments.shape], DEVICE)
        mapper = Mapper(MapperConfig(), KGE, llm.config.hidden_size)
        return ConceptLM(llm, mapper, tokens.placeholder), tokens
    if arguments.base is None:
        return small_network()
    config = ModelConfig(base=arguments.base, dtype=arguments.dtype)
    return build(config, KGE, adapters=False)


def _scores(network: ConceptLM, batch: Batch) -> torch.Tensor:
    batch = {name: value.to(DEVICE) for name, value in batch.items()}
    with network.autocast():
        return option_scores(network(**inputs_of(batch)), batch, None)


if __name__ == "__main__":
    main()
