"""The training run: epochs, what is watched in them, and a checkpoint from which it continues."""

import hashlib
import logging
import math
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from tqdm import trange

from kg.artefact import replacing
from kg.config import EncoderConfig
from kg.errors import InputError
from kg.graph import Split
from kg.link_prediction import (
    LinkPredictor,
    all_vectors,
    learning_rate_at,
    ranks_of,
    training_steps,
)
from kg.ranking import Answers, rank_metrics
from kg.sampling import build_adjacency

__all__ = ["train_encoder"]

WATCHED = 1000
"""Validation triplets, about, that are ranked after every epoch."""

log = logging.getLogger(__name__)


def train_encoder(
    split: Split, features: Tensor, config: EncoderConfig, checkpoint: Path
) -> tuple[LinkPredictor, list[dict[str, Any]]]:
    """The trained model and its history: a row an epoch with loss and validation measures.

    `features` (node, feature) of mean 0 and deviation 1; all runs on their device. After every
    epoch the state is written to `checkpoint`; a run with the same config and data continues
    from there and ends the same. Raises InputError when the loss is not finite.
    """
    run = _Run(split, features, config)
    if checkpoint.is_file():
        run.restore(checkpoint)
    for _ in trange(len(run.history), config.epochs, unit="epoch", disable=None):
        run.epoch()
        run.save(checkpoint)
        log.info("epoch %(epoch)d: loss %(loss).3f, validation MRR %(mrr).4f", run.history[-1])
    return run.model, run.history


class _Run:
    """Everything that changes in training, and what it is computed from."""

    def __init__(self, split: Split, features: Tensor, config: EncoderConfig) -> None:
        device = features.device
        self.train, self.validation = split.train.to(device), split.validation.to(device)
        self.features, self.config = features, config
        self.adjacency = build_adjacency(self.train)
        self.known = Answers([self.train, self.validation, split.test.to(device)])
        self.generator = torch.Generator(device).manual_seed(config.seed)
        relations = len(self.train.relations)
        self.model = LinkPredictor(features.shape[1], relations, config).to(device)
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=config.learning_rate)
        self.history: list[dict[str, Any]] = []
        self.fingerprint = _fingerprint(split, features, config)

    def epoch(self) -> None:
        """One pass over the training triplets, then a look at some of the validation ones."""
        done, each = len(self.history), -(-len(self.train) // self.config.batch_size)
        losses = []
        self.model.train()
        batches = training_steps(
            self.model,
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
        mean = sum(losses) / len(losses)
        if not math.isfinite(mean):
            raise InputError(
                f"the loss of epoch {done + 1} is {mean}; lower learning_rate "
                f"(now {self.config.learning_rate}) or look at the features"
            )
        self.history.append({"epoch": done + 1, "loss": mean, **self._watch()})

    def save(self, path: Path) -> None:
        """Write the state."""
        state = {
            "fingerprint": self.fingerprint,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "generator": self.generator.get_state(),
            "history": self.history,
        }
        with replacing(path) as temporary:
            torch.save(state, temporary)

    def restore(self, path: Path) -> None:
        """Take over the state in `path` if it is of this config and this data."""
        state = torch.load(path, weights_only=True, map_location="cpu")
        if state["fingerprint"] != self.fingerprint:
            log.info("%s is of another config or graph: starting anew", path)
            return
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.generator.set_state(state["generator"])
        self.history = state["history"]
        log.info("%s: continuing after epoch %d", path, len(self.history))

    def _watch(self) -> dict[str, float]:
        vectors = all_vectors(self.model.encoder, self.features, self.adjacency, self.config.bf16)
        stride = max(1, len(self.validation) // WATCHED)
        rows = torch.arange(0, len(self.validation), stride, device=vectors.device)
        watched = self.validation.part(rows)
        return rank_metrics(ranks_of(self.model.decoder, vectors, watched, self.known))


def _fingerprint(split: Split, features: Tensor, config: EncoderConfig) -> str:
    digest = hashlib.sha256(config.model_dump_json().encode())
    digest.update("\n".join(split.train.relations).encode())
    for part in (split.train, split.validation, split.test):
        digest.update(part.triplets.cpu().numpy().tobytes() + b"/")
    digest.update(features.float().cpu().numpy().tobytes())
    return digest.hexdigest()
