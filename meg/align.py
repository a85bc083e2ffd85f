"""Phase I: the LLM learns to name concepts from their vectors.

concepts + store + base LLM -> checkpoint; the paper's embedding transfer. First the mapper may be
trained alone against the names' token embeddings, which costs no LLM pass; then mapper and adapters
together. Without the second step (`name: false`) this is the training of the mapping network alone.
"""

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from pydantic import Field
from tqdm import tqdm

from kg.graph.tables import read_concepts
from kg.shared.command import Command, main
from kg.shared.errors import InputError
from kg.shared.resume import resumable
from kg.store import EmbeddingStore
from meg.config import AlignConfig, ModelConfig
from meg.model.batch import Batch, Collator
from meg.model.checkpoint import History, build, check_folder, load, load_contrast, save
from meg.model.network import ConceptLM
from meg.model.origin import local_digest
from meg.model.reader import Reader
from meg.model.record import Record, check_store
from meg.prompts.tokens import Example, Tokens
from meg.prompts.vectors import Vectors
from meg.prompts.wording import name_prompt
from meg.training.loop import check, train
from meg.training.metrics import AlignMetrics, NamesFound, Retrieval
from meg.training.objectives import Align, Contrast
from meg.training.retrieval import MOST, NameRetrieval

__all__ = ["align", "examples_of", "train_mapper"]

log = logging.getLogger(__name__)

Start = tuple[ConceptLM, Tokens, Record]

Named = Sequence[tuple[str, str]]
"""Concepts as (cui, name)."""


def examples_of(
    concepts: Named, tokens: Tokens, config: AlignConfig, generator: np.random.Generator
) -> list[Example]:
    """One example a concept; in the extended Phase I as many again with 2 or more concepts."""
    groups = [[concept] for concept in concepts]
    most = min(config.names_per_prompt, len(concepts))
    if most > 1:
        for _ in concepts:
            count = generator.integers(2, most + 1)
            chosen = generator.choice(len(concepts), size=count, replace=False)
            groups.append([concepts[i] for i in chosen])
    return [tokens.name_example(name_prompt(group)) for group in groups]


def train_mapper(
    network: ConceptLM,
    contrast: Contrast,
    examples: Sequence[Example],
    collate: Collator,
    config: AlignConfig,
    generator: np.random.Generator,
    retrieval: NameRetrieval,
) -> History:
    """Train mapper and inverse alone, for `config.mapper_steps`, on the losses of `Contrast`.

    Without an LLM pass a step costs next to nothing, so all concepts serve, not only those that
    the LLM will learn to name.
    """
    parameters = [*network.mapper.parameters(), *contrast.parameters()]
    # As published, AdamW with PyTorch's decay and a rate that falls to zero; ours is constant.
    paper = config.style == "paper"
    kind = torch.optim.AdamW if paper else torch.optim.Adam
    optimiser = kind(parameters, lr=config.mapper_learning_rate)
    fall = 1 / max(1, config.mapper_steps) if paper else 0.0
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: 1 - fall * step)
    size = min(config.mapper_batch_size, len(examples))
    history: History = []
    for step in tqdm(range(config.mapper_steps), desc="mapper alone", disable=None):
        chosen = generator.choice(len(examples), size=size, replace=False)
        batch = _on(network.device, collate.concepts_only([examples[i] for i in chosen]))
        losses = contrast(network, batch, config.mapper_temperature)
        loss = torch.stack(list(losses.values())).sum()
        if not torch.isfinite(loss):
            raise InputError(
                f"the mapper's loss is {float(loss.detach())} at step {step} without the LLM; "
                "lower mapper_learning_rate"
            )
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        if step % 20 == 0 or step == config.mapper_steps - 1:
            logged = {"stage": "mapper", "step": step, "loss": round(float(loss.detach()), 4)}
            history.append(logged | retrieval())
    return history


def align(
    reader: Reader,
    concepts: Named,
    model: ModelConfig,
    config: AlignConfig,
    state: Path,
    seed: int,
    begun: dict[str, torch.Tensor] | None = None,
) -> tuple[History, AlignMetrics]:
    """Train the network in place to name `concepts`; returns the history and metrics.

    `begun`: the state of an earlier Phase I's `Contrast`.
    """
    network, tokens = reader.network, reader.tokens
    generator = np.random.default_rng(seed)
    shuffled = [concepts[i] for i in generator.permutation(len(concepts))]
    examples = examples_of(shuffled[: config.concepts], tokens, config, generator)
    hidden = network.llm.get_input_embeddings().weight.shape[1]
    contrast = Contrast(config, model.mapper, reader.vectors.dim, hidden).to(network.device)
    if begun:
        contrast.load_state_dict(begun)
    collate = Collator.of(network, reader.vectors)
    alone = [tokens.name_example(name_prompt([concept])) for concept in shuffled]
    retrieval = NameRetrieval(reader, shuffled)
    history = train_mapper(network, contrast, alone, collate, config, generator, retrieval)
    before = retrieval()
    if config.name:
        objective = Align(network, contrast)
        bf16 = network.dtype == torch.bfloat16
        history += train(
            objective, examples, collate, config.training, state, seed, bf16, watch=retrieval
        )
    after = retrieval()
    log.info("name retrieval with the mapper alone %s, after Phase I %s", before, after)
    return history, AlignMetrics(
        concepts=len(concepts),
        examples=len(examples) if config.name else 0,
        name_retrieval=Retrieval(
            candidates=min(len(concepts), MOST),
            mapper_alone=NamesFound(**before),
            phase_1=NamesFound(**after),
        ),
    )


def _on(device: torch.device, batch: Batch) -> Batch:
    return {name: value.to(device) for name, value in batch.items()}


class AlignCommand(Command):
    """Phase I: train mapper and adapters to name concepts from their vectors."""

    concepts: Path = Field(description="concepts.parquet")
    store: Path = Field(description="embeddings.h5 of the same concepts")
    start: Path | None = Field(
        None, description="checkpoint to go on from, of meg.import_published; none: the base LLM"
    )
    base: str | None = Field(None, description="where the base LLM is, if not where --model says")
    model: ModelConfig = Field(ModelConfig(), description="the LLM, its adapters and its mapper")
    config: AlignConfig = Field(AlignConfig(), description="Phase I")
    seed: int = Field(0, ge=0, description="seed of weights, choice and order of the concepts")
    state: Path = Field(description="folder for checkpoints to resume from")
    out: Path = Field(description="checkpoint folder to write")

    def run(self) -> None:
        """Build the model, train it, save the checkpoint."""
        check(self.config.training)
        check_folder(self.out)
        concepts, store = read_concepts(self.concepts), EmbeddingStore(self.store)
        store.check(concepts)
        torch.manual_seed(self.seed)
        model = self.model.model_copy(update={"base": self.base or self.model.base})
        command = self.model_dump(mode="json", exclude={"out", "state"})
        # Apart: a store's attributes are named as the command's, `config` above all. A checkpoint
        # knows its own base.
        base = None if self.start else local_digest(model.base)
        identity = {"command": command, "store": store.attributes, "base": base}
        with resumable(self.state, identity) as state:
            network, tokens, record = self._start(model, store)
            reader = Reader(network, tokens, Vectors(store, self.config.vectors, self.seed))
            named = list(concepts.select("cui", "name").iter_rows())
            begun = load_contrast(self.start) if self.start else None
            history, metrics = align(
                reader, named, record.model, self.config, state, self.seed, begun
            )
            save(self.out, reader.network, record, history, metrics.model_dump())

    def _start(self, model: ModelConfig, store: EmbeddingStore) -> Start:
        """The network to train, and what it is."""
        if self.start is None:
            made = {"model": model, "kge": store.dim, "store": store.space}
            return *build(model, store.dim), Record(**made, store_path=str(self.store))
        if self.model.model_fields_set:
            raise InputError("--start says what the model is; leave --model out")
        network, tokens, record = load(self.start, self.base, trainable=True)
        check_store(record, store)
        return network, tokens, record


if __name__ == "__main__":
    main(AlignCommand)
