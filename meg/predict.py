"""Answers to the test questions, one row a question.

grounded questions + store + a checkpoint (or the base LLM alone, zero-shot) -> predictions.
"""

import logging
import platform
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import torch
from pydantic import Field
from tqdm import tqdm

from kg.artefact import file_digest
from kg.command import Command, main
from kg.errors import InputError
from kg.store import EmbeddingStore
from meg.batch import Collator
from meg.checkpoint import build, load
from meg.config import ModelConfig, PredictConfig, PromptConfig
from meg.model import MEG
from meg.objectives import inputs_of, option_scores
from meg.prediction import Prediction, write_predictions, write_run
from meg.question import Question, read_questions
from meg.tokens import Example, Tokens
from meg.vectors import Vectors

__all__ = ["predict"]

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
    """Score the options of every question; the best is the answer. In the questions' order."""
    meg.eval()
    verdicts = tokens.verdicts if prompt.answer == "yesno" else None
    collate = Collator(vectors, dtype=meg.dtype, verdicts=verdicts is not None)
    examples = [tokens.question_example(q, prompt, vectors.known) for q in questions]
    order = sorted(range(len(examples)), key=lambda i: len(examples[i]))
    predictions: dict[int, Prediction] = {}
    with tqdm(total=len(order), desc="questions", disable=None) as progress:
        for start in range(0, len(order), config.batch_size):
            chosen = order[start : start + config.batch_size]
            batch = collate([examples[i] for i in chosen])
            batch = {name: value.to(meg.device) for name, value in batch.items()}
            with torch.autocast(meg.device.type, meg.dtype, enabled=meg.dtype != torch.float32):
                logits = meg(**inputs_of(batch))
            scores = option_scores(logits, batch, verdicts).cpu()
            of_question = scores.split([len(examples[i].branches) for i in chosen])
            for i, own in zip(chosen, of_question, strict=True):
                predictions[i] = _prediction(questions[i], examples[i], own)
            progress.update(len(chosen))
    return [predictions[i] for i in range(len(examples))]


def _prediction(question: Question, example: Example, scores: torch.Tensor) -> Prediction:
    return Prediction(
        id=question.id,
        kind=question.kind,
        answer=question.answer,
        prediction=int(scores.argmax()),
        scores=tuple(round(float(score), 4) for score in scores),
        concepts=example.cuis,
        shortened=example.shortened,
    )


class PredictCommand(Command):
    """Answer questions with a checkpoint, or zero-shot with the base LLM."""

    questions: Path = Field(description="grounded questions, JSON lines")
    store: Path = Field(description="embeddings.h5")
    checkpoint: Path | None = Field(None, description="of meg.finetune or meg.align; none: base")
    base: str | None = Field(None, description="where the base LLM is, if not where --model says")
    model: ModelConfig | None = Field(None, description="the LLM, where there is no checkpoint")
    prompt: PromptConfig | None = Field(None, description="default: the checkpoint's")
    config: PredictConfig = Field(PredictConfig(), description="vectors and batch size")
    out: Path = Field(description="predictions, JSON lines")

    def run(self) -> None:
        start = time.monotonic()
        store = EmbeddingStore(self.store)
        questions = list(read_questions(self.questions))
        meg, tokens, prompt = self._model(store)
        vectors = Vectors(store, self.config.vectors, self.config.seed)
        predictions = predict(meg, tokens, questions, vectors, prompt, self.config)
        write_predictions(self.out, predictions)
        run = self.model_dump(mode="json") | {"prompt": prompt.model_dump()}
        run |= self._circumstances(store, meg) | {"seconds": round(time.monotonic() - start, 1)}
        write_run(self.out, run)

    def _model(self, store: EmbeddingStore) -> tuple[MEG, Tokens, PromptConfig]:
        if self.checkpoint is None:
            if self.model is None or self.prompt is None:
                raise InputError("without --checkpoint, both --model and --prompt are needed")
            model = self.model.model_copy(update={"base": self.base or self.model.base})
            return *build(model, store.dim, adapters=False), self.prompt
        meg, tokens, record = load(self.checkpoint, self.base)
        prompt = self.prompt or record.prompt
        if prompt is None:
            raise InputError(f"{self.checkpoint} is of Phase I and has no prompt; give --prompt")
        if record.store != store.attributes["concepts"]:
            raise InputError(f"{self.checkpoint} was trained with another store than {self.store}")
        return meg, tokens, prompt

    def _circumstances(self, store: EmbeddingStore, meg: MEG) -> dict[str, object]:
        cuda = torch.cuda.get_device_name() if torch.cuda.is_available() else None
        return {
            "digests": {
                "questions": file_digest(self.questions),
                "store": file_digest(self.store),
                "concepts": store.attributes["concepts"],
            },
            "versions": {
                package: version(package)
                for package in ("meg-pipeline", "torch", "transformers", "peft")
            },
            "hardware": {"machine": platform.machine(), "gpu": cuda, "device": str(meg.device)},
        }


if __name__ == "__main__":
    main(PredictCommand)
