"""Answers to the test questions, one row a question.

grounded questions + store + a checkpoint (or the base LLM alone, zero-shot) -> predictions.
"""

import platform
import time
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch
from pydantic import Field

from kg.shared.artefact import file_digest
from kg.shared.command import Command, main
from kg.shared.errors import InputError
from kg.store import EmbeddingStore
from meg.config import ModelConfig, PredictConfig, PromptConfig
from meg.datasets.question import Question, read_questions
from meg.evaluation.prediction import Digests, Hardware, write_predictions, write_run
from meg.inference.answer import predict
from meg.model.checkpoint import build, load
from meg.model.network import ConceptLM
from meg.model.reader import Reader
from meg.model.record import check_store
from meg.prompts.tokens import Tokens
from meg.prompts.vectors import Vectors
from meg.prompts.wording import needs_store, prompt_version


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
        network, tokens, prompt = self._model(vectors)
        predictions = predict(Reader(network, tokens, vectors), questions, prompt, self.config)
        write_predictions(self.out, predictions)
        write_run(
            self.out,
            self.model_dump(mode="json") | {"prompt": prompt.model_dump()},
            prompt_version=prompt_version(prompt, tokens.system),
            labels=_labels(questions),
            seconds=round(time.monotonic() - start, 1),
            **self._circumstances(store, network),
        )

    def _model(self, vectors: Vectors) -> tuple[ConceptLM, Tokens, PromptConfig]:
        if self.checkpoint is None:
            if self.model is None or self.prompt is None:
                raise InputError("without --checkpoint, both --model and --prompt are needed")
            model = self.model.model_copy(update={"base": self.base or self.model.base})
            _check_prompt(self.prompt, vectors)
            return *build(model, vectors.dim, adapters=False), self.prompt
        network, tokens, record = load(self.checkpoint, self.base)
        prompt = self.prompt or record.prompt
        if prompt is None:
            raise InputError(f"{self.checkpoint} is of Phase I and has no prompt; give --prompt")
        check_store(record, vectors.store)
        _check_prompt(prompt, vectors)
        return network, tokens, prompt

    def _circumstances(self, store: EmbeddingStore | None, network: ConceptLM) -> dict[str, object]:
        cuda = torch.cuda.get_device_name() if torch.cuda.is_available() else None
        return {
            "digests": Digests(
                questions=file_digest(self.questions),
                store=file_digest(self.store) if self.store else None,
                concepts=store.attributes["concepts"] if store else None,
            ),
            "versions": {
                package: _version(package)
                for package in ("meg-pipeline", "torch", "transformers", "peft")
            },
            "hardware": Hardware(
                machine=platform.machine(),
                gpu=cuda,
                device=str(network.device),
                dtype=str(network.dtype),
            ),
        }


def _labels(questions: Sequence[Question]) -> tuple[str, ...]:
    """The options where all questions have the same ones (yes, no, maybe), else nothing."""
    options = {question.options for question in questions}
    return options.pop() if len(options) == 1 else ()


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
