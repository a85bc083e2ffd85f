"""What goes along with a training: the order of an epoch, lines of the log, a signal to stop."""

import json
import logging
import signal
from typing import Any

import torch
from transformers import TrainerCallback

__all__ = ["FollowEpochs", "LogLines", "StopOnSignal"]

log = logging.getLogger(__name__)


class FollowEpochs(TrainerCallback):
    """Tells a sampler the epoch.

    The Trainer does too, but not through the wrappers that several processes and a continued
    training put around it.
    """

    def __init__(self, sampler: Any) -> None:
        self.sampler = sampler

    def on_epoch_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.sampler.set_epoch(int(state.epoch or 0))


class LogLines(TrainerCallback):
    """One line of the log each time the Trainer logs."""

    def on_log(self, args: Any, state: Any, control: Any, **keywords: Any) -> None:
        logs = keywords.get("logs")
        if logs and "loss" in logs:
            log.info("step %d/%d %s", state.global_step, state.max_steps, json.dumps(logs))


class StopOnSignal(TrainerCallback):
    """SIGTERM, with which Slurm takes a node back: save after the step at hand, and stop."""

    def __init__(self) -> None:
        self.asked = False
        self.before: Any = None

    def on_train_begin(self, *_: Any, **__: Any) -> None:
        self.before = signal.signal(signal.SIGTERM, self._ask)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if self._anywhere(args):
            log.warning("SIGTERM: saving at step %d", state.global_step)
            control.should_save = control.should_training_stop = True

    def on_train_end(self, *_: Any, **__: Any) -> None:
        signal.signal(signal.SIGTERM, self.before)

    def _ask(self, *_: Any) -> None:
        self.asked = True

    def _anywhere(self, args: Any) -> bool:
        """Whether any process was asked: all have to save, and stop, at the same step."""
        if args.world_size == 1:
            return self.asked
        asked = torch.tensor(int(self.asked), device=args.device)
        torch.distributed.all_reduce(asked, torch.distributed.ReduceOp.MAX)
        return bool(asked)
