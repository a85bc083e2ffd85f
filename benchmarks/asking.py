"""A trained model that is asked: adapters merged into the LLM, beside it, and transformers alone.

    python -m benchmarks.asking CHECKPOINT QUESTIONS [--base FOLDER] [--float32] [--store FILE]

The same prompts, without concepts, are answered by the merged LLM through our own code, by the same
LLM through transformers' generate, and with the adapters beside the LLM as in training. Tokens are
written one question at a time, options scored eight questions at a time. The ways take turns,
forwards and backwards, and the best of each counts. In CPU seconds where there is no GPU.

With `--store`, the vectors, all questions are answered instead, with their concepts: how many
answers depend on whether the adapters are merged.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import torch

from benchmarks.clock import DEVICE, UNIT, seconds
from benchmarks.small_llm import examples_of
from kg.store import EmbeddingStore
from meg.config import PredictConfig, PromptConfig
from meg.datasets.question import read_questions
from meg.inference.answer import predict
from meg.inference.generation import left_padded
from meg.model.batch import Batch, Collator
from meg.model.checkpoint import load
from meg.model.network import ConceptLM
from meg.model.reader import Reader
from meg.model.scores import inputs_of, option_scores
from meg.prompts.tokens import Example
from meg.prompts.vectors import Vectors

NEW, BATCH = 32, 8

Way = Callable[[Batch], torch.Tensor]


def main() -> None:
    """Measure writing and scoring each way and print the table."""
    parser = argparse.ArgumentParser(description="time a checkpoint that is asked")
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("questions", type=Path)
    parser.add_argument("--base", help="folder of its base LLM, if not where it was")
    parser.add_argument("--float32", action="store_true", help="not the type that is recorded")
    parser.add_argument("--store", type=Path, help="answer all questions with these vectors")
    parser.add_argument("--examples", type=int, default=8)
    parser.add_argument("--repeat", type=int, default=4)
    arguments = parser.parse_args()
    merged, beside = (_network(arguments, trainable) for trainable in (False, True))
    _, tokens, record = load(arguments.checkpoint, arguments.base)
    assert record.prompt is not None
    if arguments.store is not None:
        vectors = Vectors(EmbeddingStore(arguments.store))
        both = [Reader(network, tokens, vectors) for network in (merged, beside)]
        sys.stdout.write(_compared(*both, arguments.questions, record.prompt))
        return
    examples = examples_of(arguments.questions, tokens, record.prompt, arguments.examples, 1)
    rows = {
        "transformers' generate": (_by_transformers(merged), None),
        "ours, merged": (_by_us(merged), merged),
        "ours, adapters beside": (_by_us(beside), beside),
    }
    writing = {name: [float("inf")] for name in rows}
    scoring = {name: [float("inf")] for name in rows}
    for turn in range(arguments.repeat):
        for name, (write, network) in [*rows.items()][:: 1 if turn % 2 else -1]:
            writing[name].append(seconds(lambda write=write: _write(write, examples)))
            if network is not None:
                scoring[name].append(seconds(lambda network=network: _score(network, examples)))
    sys.stdout.write(
        f"{merged.dtype}, {merged.attention}, {torch.get_num_threads()} threads, "
        f"{len(examples)} questions\n\n"
        f"| way | a written token, {UNIT} | times | a question's options, {UNIT} |\n"
        "|---|---|---|---|\n"
    )
    plain = min(writing["transformers' generate"])
    for name in rows:
        token = min(writing[name]) / len(examples) / NEW * 1e3
        question = f"{min(scoring[name]) / len(examples) * 1e3:.1f}" if rows[name][1] else "-"
        sys.stdout.write(
            f"| {name} | {token:.1f} | {min(writing[name]) / plain:.2f} | {question} |\n"
        )


def _compared(merged: Reader, beside: Reader, path: Path, prompt: PromptConfig) -> str:
    """How the answers with merged adapters differ from those with adapters beside the LLM."""
    questions, config = list(read_questions(path)), PredictConfig()
    ours, theirs = (predict(one, questions, prompt, config) for one in (merged, beside))
    changed = sum(a.prediction != b.prediction for a, b in zip(ours, theirs, strict=True))
    right = [sum(row.right for row in rows) for rows in (ours, theirs)]
    return (
        f"{changed} of {len(questions)} answers differ; right are {right[0]} with merged adapters, "
        f"{right[1]} with adapters beside the LLM\n"
    )


def _network(arguments: argparse.Namespace, trainable: bool) -> ConceptLM:
    network, *_ = load(arguments.checkpoint, arguments.base, trainable)
    if arguments.float32:
        network.llm.float()
    return network.eval()


def _by_us(network: ConceptLM) -> Way:
    return lambda batch: network.generate(**batch, **_length())


def _by_transformers(network: ConceptLM) -> Way:
    def write(batch: Batch) -> torch.Tensor:
        ids, mask = (batch[name].to(DEVICE) for name in ("input_ids", "attention_mask"))
        written: torch.Tensor = network.llm.generate(
            input_ids=ids, attention_mask=mask, do_sample=False, **_length()
        )
        return written

    return write


def _length() -> dict[str, int]:
    return {"min_new_tokens": NEW, "max_new_tokens": NEW, "pad_token_id": 0}


def _write(write: Way, examples: list[Example]) -> None:
    with torch.no_grad():
        for example in examples:
            write(left_padded([example], Vectors(None)))


def _score(network: ConceptLM, examples: list[Example]) -> None:
    collate = Collator.of(network, Vectors(None))
    with torch.no_grad(), network.autocast():
        for start in range(0, len(examples), BATCH):
            batch = collate(examples[start : start + BATCH])
            batch = {name: value.to(DEVICE) for name, value in batch.items()}
            option_scores(network(**inputs_of(batch)), batch, None)


if __name__ == "__main__":
    main()
