"""Phase II: the LLM learns to answer questions that carry concept vectors.

grounded questions + store + Phase I's checkpoint (or the base LLM) -> checkpoint.
"""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import Field

from kg.shared import processes
from kg.shared.artefact import file_digest
from kg.shared.command import Command, main
from kg.shared.errors import InputError
from kg.shared.resume import resumable
from kg.store import EmbeddingStore
from meg.config import FinetuneConfig, ModelConfig
from meg.datasets.question import Question, read_questions
from meg.inference.calibration import calibrate
from meg.model.batch import Collator
from meg.model.checkpoint import History, build, check_folder, load, save
from meg.model.network import ConceptLM
from meg.model.origin import local_digest
from meg.model.reader import Reader
from meg.model.record import Record, check_store, read_record
from meg.model.trained import Calibration, Trained
from meg.prompts.tokens import Tokens, say_longer
from meg.prompts.vectors import Vectors
from meg.prompts.wording import needs_store
from meg.training.loop import check, train
from meg.training.metrics import FinetuneMetrics
from meg.training.objectives import Answer

__all__ = ["finetune"]

log = logging.getLogger(__name__)


def finetune(
    reader: Reader,
    questions: Sequence[Question],
    config: FinetuneConfig,
    state: Path,
    seed: int,
) -> tuple[History, FinetuneMetrics]:
    """Train the network in place to answer `questions`; returns the history and counts."""
    network, tokens, vectors = reader.network, reader.tokens, reader.vectors
    order = np.random.default_rng(seed).permutation(len(questions))[: config.questions]
    over_options = config.objective == "listwise"
    examples = [
        tokens.question_example(questions[i], config.prompt, vectors.known, not over_options)
        for i in order
    ]
    say_longer(examples, config.prompt.max_tokens)
    yesno = config.prompt.answer == "yesno"
    network.mapper.requires_grad_(config.train_mapper and config.prompt.concepts != "none")
    counts = FinetuneMetrics(
        questions=len(examples),
        shortened=sum(example.shortened for example in examples),
        without_concept=sum(not example.cuis for example in examples),
        tokens=sum(map(len, examples)),
    )
    log.info("training on %s", counts)
    objective = Answer(network, over_options, tokens.verdicts if yesno else None)
    collate = Collator.of(network, vectors, yesno)
    bf16 = network.dtype == torch.bfloat16
    return train(objective, examples, collate, config.training, state, seed, bf16), counts


class FinetuneCommand(Command):
    """Phase II: train the adapters (and the mapper) to answer questions."""

    questions: Path = Field(description="grounded training questions, JSON lines")
    dev: Path | None = Field(
        None,
        description="grounded dev questions: calibrate the score of one option on them (answer "
        "yesno)",
    )
    store: Path | None = Field(None, description="embeddings.h5; none: for a text-only model")
    align: Path | None = Field(
        None,
        description="checkpoint to start from, Phase I's or, with config.after, an earlier Phase "
        "II's; none: the base",
    )
    base: str | None = Field(None, description="where the base LLM is, if not where --model says")
    model: ModelConfig | None = Field(
        None, description="the LLM, its adapters and its mapper; what is not said is as in --align"
    )
    config: FinetuneConfig = Field(FinetuneConfig(), description="Phase II")
    seed: int = Field(0, ge=0, description="seed of weights, choice and order of the questions")
    state: Path = Field(description="folder for checkpoints to resume from")
    out: Path = Field(description="checkpoint folder to write")

    def run(self) -> None:
        """Load Phase I's model or build one, train it, save the checkpoint."""
        check(self.config.training)
        check_folder(self.out)
        start, after = self.config.start, self.config.after
        if (start == "align" or after is not None) != (self.align is not None):
            raise InputError(
                f"config.start is {start}, config.after {after} and --align {self.align}; give the "
                "checkpoint to start from by --align, or set config.start to base, config.after to "
                "null and leave --align out"
            )
        store = EmbeddingStore(self.store) if self.store else None
        if store is None and (needs_store(self.config.prompt) or start == "align"):
            raise InputError(
                "no --store: it may be left out only for a text-only model, with prompt.concepts "
                f"none (is {self.config.prompt.concepts}), prompt.triplets 0 (is "
                f"{self.config.prompt.triplets}) and start base (is {start})"
            )
        questions = list(read_questions(self.questions))
        if not questions:
            raise InputError(
                f"{self.questions} has no questions; run meg.questions with a train part"
            )
        torch.manual_seed(self.seed)
        with resumable(self.state, self._identity(store)) as state:
            vectors = Vectors(store, self.config.vectors, self.seed)
            network, tokens, begun = self._start(vectors)
            reader = Reader(network, tokens, vectors)
            history, counts = finetune(reader, questions, self.config, state, self.seed)
            calibration = self._calibration(reader)
            made = {
                "prompt": self.config.prompt,
                "trained": Trained.on(questions, self.config.objective, calibration),
                "store_path": self.store and str(self.store),
            }
            record = begun.model_copy(update=made)
            save(self.out, network, record, history, counts.model_dump())

    def _calibration(self, reader: Reader) -> Calibration | None:
        prompt = self.config.prompt
        if self.dev is None or prompt.answer != "yesno":
            return None
        if processes.count() > 1:
            log.warning("not calibrated: the LLM is trained by several processes")
            return None
        # As `ask` puts a question, which has no neighbours.
        asked = prompt.model_copy(update={"parents": 0, "triplets": 0})
        questions = list(read_questions(self.dev))
        return calibrate(reader, questions, asked, self.seed)

    def _identity(self, store: EmbeddingStore | None) -> dict[str, Any]:
        """What is trained, on what: a killed run's state serves no other."""
        start = self.align or Path("none")
        base = self.base or (self.model or ModelConfig()).base
        inputs = (
            self.questions,
            self.dev or Path("none"),
            start / "mapper.safetensors",
            start / "adapter" / "adapter_model.safetensors",
        )
        return {
            "command": self.model_dump(mode="json", exclude={"out", "state"}),
            # Apart: a store's attributes are named as the command's, `config` above all.
            "store": store.attributes if store else None,
            "inputs": [file_digest(path) for path in inputs if path.is_file()],
            # Phase I's checkpoint knows its own.
            "base": None if self.align else local_digest(base),
        }

    def _start(self, vectors: Vectors) -> tuple[ConceptLM, Tokens, Record]:
        """The model to train, and what it is: after Phase I, what that made it."""
        model = self.model or ModelConfig()
        if self.align is None:
            named = model.model_copy(update={"base": self.base or model.base})
            space = vectors.store.space if vectors.store else ""
            begun = Record(model=named, kge=vectors.dim, store=space)
            return *build(named, vectors.dim), begun
        made = read_record(self.align).model
        said = sorted(model.model_fields_set - {"base"})
        if other := [name for name in said if getattr(model, name) != getattr(made, name)]:
            raise InputError(
                f"--model has another {', '.join(other)} than {self.align}, which the training "
                "starts from; leave --model out, or run meg.align anew with it"
            )
        base = model.base if "base" in model.model_fields_set else made.base
        network, tokens, record = load(self.align, self.base or base, trainable=True)
        check_store(record, vectors.store)
        return network, tokens, record


if __name__ == "__main__":
    main(FinetuneCommand)
