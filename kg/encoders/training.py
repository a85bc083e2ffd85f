"""The training run: epochs, what is watched in them, and a checkpoint from which it continues."""

import hashlib
import logging
import math
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from tqdm import trange

from kg.config import TrainedConfig
from kg.encoders.inputs import NodeFeatures
from kg.encoders.link_prediction import (
    LinkPredictor,
    all_vectors,
    learning_rate_at,
    ranks_of,
    training_steps,
)
from kg.evaluation.ranking import Answers, rank_metrics
from kg.graph.rows import chunks
from kg.graph.sampling import build_adjacency
from kg.graph.split import Graph, Split
from kg.shared import processes
from kg.shared.artefact import replacing
from kg.shared.damage import check_file
from kg.shared.errors import InputError

__all__ = ["final_keys", "train_encoder"]

WATCHED = 1000
"""Validation triplets, about, that are ranked after every epoch."""

STREAM = 1_000_003
"""Between the seeds of two processes."""

log = logging.getLogger(__name__)


def train_encoder(
    model: LinkPredictor,
    split: Split,
    features: NodeFeatures | None,
    config: TrainedConfig,
    checkpoint: Path,
) -> list[dict[str, Any]]:
    """Train the model; its history: a row an epoch with loss and validation measures.

    It ends on the process's device, where the features are, with the best epoch's weights. Of
    several processes each has its share of every batch, draws its own neighbours and negatives, and
    ends with the same model. After every epoch the state is written to `checkpoint`; a run with the
    same config and data, by as many processes, continues from there and ends the same. What
    neighbours are sent is in it too and copied into `features`: computed anew by another number of
    threads it may differ. The run ends early when the validation MRR has not risen for `patience`
    epochs. Raises InputError when the loss is not finite.
    """
    run = _Run(model, split, features, config)
    if checkpoint.is_file():
        run.restore(checkpoint)
    for _ in trange(len(run.history), config.epochs, unit="epoch", disable=None):
        if len(run.history) - run.best_epoch >= config.patience:
            log.info("no better epoch than %d: stopping", run.best_epoch)
            break
        run.epoch()
        run.save(checkpoint)
        log.info("epoch %(epoch)d: loss %(loss).3f, validation MRR %(mrr).4f", run.history[-1])
    run.model.load_state_dict(run.best)
    return run.history


def final_keys(
    model: LinkPredictor, features: NodeFeatures | None, train: Graph, bf16: bool
) -> Tensor:
    """A trained model's keys of all nodes; they and the model come to the CPU."""
    adjacency = build_adjacency(train.to(processes.device()))
    keys = all_vectors(model, features, adjacency, bf16).cpu()
    model.cpu()
    return keys


class _Run:
    """Everything that changes in training, and what it is computed from."""

    def __init__(
        self,
        model: LinkPredictor,
        split: Split,
        features: NodeFeatures | None,
        config: TrainedConfig,
    ) -> None:
        device = processes.device()
        self.train, self.validation = split.train.to(device), split.validation.to(device)
        self.features, self.config = features, config
        self.adjacency = build_adjacency(self.train)
        self.known = Answers([self.train, self.validation, split.test.to(device)])
        self.generator = torch.Generator(device)
        self.generator.manual_seed(config.seed + STREAM * processes.rank())
        self.model = model.to(device)
        self.shared: nn.Module = self.model
        if processes.count() > 1:
            self.shared = DistributedDataParallel(self.model)
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=config.learning_rate)
        self.history: list[dict[str, Any]] = []
        self.best: dict[str, Tensor] = {}
        self.fingerprint = _fingerprint(split, features, config)

    @property
    def best_epoch(self) -> int:
        """Number of the first epoch with the highest validation MRR; 0 before there is one."""
        best = max(self.history, key=lambda row: row["mrr"], default={"epoch": 0})
        return int(best["epoch"])

    def epoch(self) -> None:
        """One pass over the training triplets, then a look at some of the validation ones."""
        done, each = len(self.history), -(-len(self.train) // self.config.batch_size)
        losses = []
        self.model.train()
        batches = training_steps(
            self.shared,
            self.train,
            features=self.features,
            adjacency=self.adjacency,
            config=self.config,
            generator=self.generator,
        )
        for step, loss in enumerate(batches, start=done * each):
            rate = learning_rate_at(step, each * self.config.epochs, self.config.learning_rate)
            self.optimizer.param_groups[0]["lr"] = rate
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            losses.append(loss.item())
        mean = processes.mean(sum(losses) / len(losses))
        if not math.isfinite(mean):
            raise InputError(
                f"the loss of epoch {done + 1} is {mean}; lower learning_rate "
                f"(now {self.config.learning_rate}) or look at the features"
            )
        # Of the first process: all have to agree on the best epoch, to the last bit.
        watched = processes.every(self._watch())[0]
        self.history.append({"epoch": done + 1, "loss": mean, **watched})
        if self.best_epoch == len(self.history):
            self.best = {name: value.clone() for name, value in self.model.state_dict().items()}

    def save(self, path: Path) -> None:
        """Write the state of all processes, which the first one does."""
        generators = processes.every(self.generator.get_state())
        if not processes.is_first():
            return
        state = {
            "fingerprint": self.fingerprint,
            "sent": None if self.features is None else self.features.sent,
            "model": self.model.state_dict(),
            "best": self.best,
            "optimizer": self.optimizer.state_dict(),
            "generators": generators,
            "history": self.history,
        }
        with replacing(path) as temporary:
            torch.save(state, temporary)

    def restore(self, path: Path) -> None:
        """Take over the state in `path` if it is of this config and this data."""
        try:
            check_file(path, "the training starts anew")
            state = torch.load(path, weights_only=True, map_location="cpu")
        except (InputError, EOFError, RuntimeError, UnpicklingError) as error:
            log.warning("%s cannot be read (%s): starting anew", path, error)
            return
        if state["fingerprint"] != self.fingerprint:
            log.warning("%s is of another config, graph or precision: starting anew", path)
            return
        if len(state["generators"]) != processes.count():
            log.warning("%s is of another number of processes: starting anew", path)
            return
        if self.features is not None:
            self.features.sent.copy_(state["sent"])
        self.model.load_state_dict(state["model"])
        self.best = state["best"]
        self.optimizer.load_state_dict(state["optimizer"])
        self.generator.set_state(state["generators"][processes.rank()])
        self.history = state["history"]
        log.info("%s: continuing after epoch %d", path, len(self.history))

    def _watch(self) -> dict[str, float]:
        vectors = all_vectors(self.model, self.features, self.adjacency, self.config.bf16)
        stride = max(1, len(self.validation) // WATCHED)
        rows = torch.arange(0, len(self.validation), stride, device=vectors.device)
        watched = self.validation.part(rows)
        return rank_metrics(ranks_of(self.model.decoder, vectors, watched, self.known))


def _fingerprint(split: Split, features: NodeFeatures | None, config: TrainedConfig) -> str:
    digest = hashlib.sha256(config.model_dump_json().encode())
    digest.update("\n".join([str(split.train.nodes), *split.train.relations]).encode())
    for part in (split.train, split.validation, split.test):
        digest.update(part.triplets.cpu().numpy().tobytes() + b"/")
    for rows in () if features is None else chunks(features.own):
        digest.update(rows.cpu().numpy().tobytes())
    return digest.hexdigest()
