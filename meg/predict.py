"""Answers to the test questions, one row a question.

grounded questions + store + a checkpoint (or the base LLM alone, zero-shot) -> predictions.
"""

import logging
import platform
import time
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch
from pydantic import Field
from tqdm import tqdm

from kg.artefact import file_digest
from kg.command import Command, main
from kg.errors import InputError
from kg.store import EmbeddingStore
from meg.batch import Collator
from meg.checkpoint import build, check_store, load
from meg.config import ModelConfig, PredictConfig, PromptConfig
from meg.generation import left_padded, write
from meg.model import MEG
from meg.objectives import inputs_of, option_scores
from meg.parse import chosen_option
from meg.prediction import Prediction, write_predictions, write_run
from meg.prompts import needs_store, prompt_version
from meg.question import Question, read_questions
from meg.tokens import Example, Tokens
from meg.vectors import Vectors

__all__ = ["predict"]

MAX_ANSWER_TOKENS = 30
"""As in the published evaluation."""

log = logging.getLogger(__name__)


@torch.no_grad()
def predict(
    meg: MEG,
    tokens: Tokens,
    questions: Sequence[Question],
    vectors: Vectors,
    prompt: PromptConfig,
    config: PredictConfig,
) -> list[Prediction]:
    """The answer to every question, in the questions' order.

    By likelihood: the option with the best score. By generation: the option that the text names.
    """
    meg.eval()
    if config.method == "generate" and prompt.answer == "yesno":
        raise InputError(
            "prompt.answer yesno asks about each option by itself and cannot be generated; set "
            "prompt.answer to letter or text, or predict.method to likelihood"
        )
    answer = _generator if config.method == "generate" else _scorer
    answered = answer(meg, tokens, vectors, prompt)
    examples = [tokens.question_example(q, prompt, vectors.known) for q in questions]
    order = sorted(range(len(examples)), key=lambda i: len(examples[i]))
    predictions: dict[int, Prediction] = {}
    with tqdm(total=len(order), desc="questions", disable=None) as progress:
        for start in range(0, len(order), config.batch_size):
            chosen = order[start : start + config.batch_size]
            rows = answered([questions[i] for i in chosen], [examples[i] for i in chosen])
            predictions |= dict(zip(chosen, rows, strict=True))
            progress.update(len(chosen))
    return [predictions[i] for i in range(len(examples))]


Answered = Callable[[Sequence[Question], Sequence[Example]], list[Prediction]]


def _scorer(meg: MEG, tokens: Tokens, vectors: Vectors, prompt: PromptConfig) -> Answered:
    verdicts = tokens.verdicts if prompt.answer == "yesno" else None
    collate = Collator.of(meg, vectors, verdicts is not None)

    def answered(questions: Sequence[Question], examples: Sequence[Example]) -> list[Prediction]:
        batch = {name: value.to(meg.device) for name, value in collate(examples).items()}
        with meg.autocast():
            logits = meg(**inputs_of(batch))
        scores = option_scores(logits, batch, verdicts).cpu()
        if not torch.isfinite(scores).all():
            raise InputError(
                f"the model's scores of {questions[0].id} and the {len(questions) - 1} questions "
                "with it are no numbers; train it again with a lower learning_rate, or in float32"
            )
        of_question = scores.split([len(example.branches) for example in examples])
        return [
            _prediction(
                question,
                example,
                int(own.argmax()),
                scores=tuple(round(float(score), 4) for score in own),
            )
            for question, example, own in zip(questions, examples, of_question, strict=True)
        ]

    return answered


def _generator(meg: MEG, tokens: Tokens, vectors: Vectors, prompt: PromptConfig) -> Answered:
    def answered(questions: Sequence[Question], examples: Sequence[Example]) -> list[Prediction]:
        texts = write(meg, tokens, left_padded(examples, vectors), MAX_ANSWER_TOKENS)
        return [
            _prediction(question, example, chosen_option(text, question.options, prompt), text=text)
            for question, example, text in zip(questions, examples, texts, strict=True)
        ]

    return answered


def _prediction(
    question: Question, example: Example, chosen: int | None, **more: Any
) -> Prediction:
    return Prediction(
        id=question.id,
        kind=question.kind,
        answer=question.answer,
        prediction=chosen,
        concepts=example.cuis,
        shortened=example.shortened,
        **more,
    )


def _labels(questions: Sequence[Question]) -> tuple[str, ...]:
    """The options where all questions have the same ones (yes, no, maybe), else nothing."""
    options = {question.options for question in questions}
    return options.pop() if len(options) == 1 else ()


class PredictCommand(Command):
    """Answer questions with a checkpoint, or zero-shot with the base LLM."""

    questions: Path = Field(description="grounded questions, JSON lines")
    store: Path | None = Field(None, description="embeddings.h5; none: for text-only answers")
    checkpoint: Path | None = Field(None, description="of meg.finetune or meg.align; none: base")
    base: str | None = Field(None, description="where the base LLM is, if not where --model says")
    model: ModelConfig | None = Field(None, description="the LLM, where there is no checkpoint")
    prompt: PromptConfig | None = Field(None, description="default: the checkpoint's")
    config: PredictConfig = Field(PredictConfig(), description="vectors and batch size")
    out: Path = Field(description="predictions, JSON lines")

    def run(self) -> None:
        """Load the model, answer every question, save answers and circumstances."""
        start = time.monotonic()
        store = EmbeddingStore(self.store) if self.store else None
        questions = list(read_questions(self.questions))
        if not questions:
            raise InputError(f"{self.questions} has no questions; run meg.questions again")
        vectors = Vectors(store, self.config.vectors, self.config.seed)
        meg, tokens, prompt = self._model(vectors)
        predictions = predict(meg, tokens, questions, vectors, prompt, self.config)
        write_predictions(self.out, predictions)
        run = self.model_dump(mode="json") | {"prompt": prompt.model_dump()}
        run["prompt_version"] = prompt_version(prompt, tokens.system)
        run["labels"] = _labels(questions)
        run |= self._circumstances(store, meg) | {"seconds": round(time.monotonic() - start, 1)}
        write_run(self.out, run)

    def _model(self, vectors: Vectors) -> tuple[MEG, Tokens, PromptConfig]:
        if self.checkpoint is None:
            if self.model is None or self.prompt is None:
                raise InputError("without --checkpoint, both --model and --prompt are needed")
            model = self.model.model_copy(update={"base": self.base or self.model.base})
            _check_prompt(self.prompt, vectors)
            return *build(model, vectors.dim, adapters=False), self.prompt
        meg, tokens, record = load(self.checkpoint, self.base)
        prompt = self.prompt or record.prompt
        if prompt is None:
            raise InputError(f"{self.checkpoint} is of Phase I and has no prompt; give --prompt")
        check_store(record, vectors.store)
        _check_prompt(prompt, vectors)
        return meg, tokens, prompt

    def _circumstances(self, store: EmbeddingStore | None, meg: MEG) -> dict[str, object]:
        cuda = torch.cuda.get_device_name() if torch.cuda.is_available() else None
        return {
            "digests": {
                "questions": file_digest(self.questions),
                "store": file_digest(self.store) if self.store else None,
                "concepts": store.attributes["concepts"] if store else None,
            },
            "versions": {
                package: _version(package)
                for package in ("meg-pipeline", "torch", "transformers", "peft")
            },
            "hardware": {
                "machine": platform.machine(),
                "gpu": cuda,
                "device": str(meg.device),
                "dtype": str(meg.dtype),
            },
        }


def _version(package: str) -> str:
    # The modules also run from a checkout, in an environment that the package is not installed in.
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _check_prompt(prompt: PromptConfig, vectors: Vectors) -> None:
    if vectors.store is None and needs_store(prompt):
        raise InputError(
            f"prompt.concepts {prompt.concepts} and prompt.triplets {prompt.triplets} ask for "
            "concepts with vectors; give --store, or set them to none and 0"
        )


if __name__ == "__main__":
    main(PredictCommand)
