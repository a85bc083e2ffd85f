"""The training loop of both phases: transformers' Trainer over an objective module."""

import json
import logging
import math
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import nn
from torch.utils.data import Sampler
from torch.utils.tensorboard import SummaryWriter
from transformers import Trainer, TrainingArguments
from transformers.integrations import TensorBoardCallback, is_deepspeed_zero3_enabled
from transformers.trainer_callback import PrinterCallback
from transformers.trainer_pt_utils import get_length_grouped_indices

from kg.artefact import replacing
from kg.errors import InputError
from kg.resume import is_first
from meg.callbacks import LogLines, StopOnSignal
from meg.config import TrainingConfig
from meg.meter import Meter
from meg.tokens import Example

__all__ = ["History", "train", "write_history"]

WEIGHTS = "trainable.safetensors"

log = logging.getLogger(__name__)

History = list[dict[str, Any]]


def train(
    objective: nn.Module,
    examples: Sequence[Example],
    collate: Callable,
    config: TrainingConfig,
    state: Path,
    seed: int,
    bf16: bool,
) -> History:
    """Minimise `objective` over the examples; it ends with its trained weights.

    Checkpoints lie in `state`; a complete one that is there already is continued from, with the
    same order of the data and the same result. Returns what was logged, by step: loss and its
    parts, gradient norm, learning rate.
    """
    arguments = _arguments(config, state, len(examples), seed, bf16)
    if is_deepspeed_zero3_enabled():
        raise InputError(
            f"{config.deepspeed} is ZeRO-3, whose parts of the weights cannot be put together into "
            "a checkpoint yet; use zero2.json or zero2_offload.json"
        )
    # A process uses one GPU, whatever it sees: DataParallel would cut the flat concept vectors.
    arguments._n_gpu = min(1, arguments.n_gpu)
    if config.gradient_checkpointing:
        # The Trainer would look for this method on the objective.
        llm: Any = objective.meg
        llm.llm.gradient_checkpointing_enable({"use_reentrant": False})
    trainer = _Trainer(
        model=objective,
        args=arguments,
        train_dataset=list(enumerate(examples)),
        data_collator=_Numbered(collate),
        rates=(config.learning_rate, config.mapper_learning_rate or config.learning_rate),
    )
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(LogLines())
    trainer.add_callback(StopOnSignal())
    if "tensorboard" in config.report_to and is_first():
        # Beside the state, as success removes that.
        trainer.add_callback(TensorBoardCallback(SummaryWriter(f"{state}.tensorboard")))
    # The first process has prepared the folder; the others may look only now.
    trainer.accelerator.wait_for_everyone()
    trainer.train(resume_from_checkpoint=_last_complete(state))
    if trainer.state.global_step < trainer.state.max_steps:
        log.warning("stopped at step %d, state saved in %s", trainer.state.global_step, state)
        raise SystemExit(143)
    return trainer.state.log_history


def write_history(path: Path, history: History) -> None:
    """Write what was logged as JSON lines."""
    with replacing(path) as temporary:
        temporary.write_text("".join(json.dumps(row) + "\n" for row in history), encoding="utf-8")


def _arguments(
    config: TrainingConfig, state: Path, examples: int, seed: int, bf16: bool
) -> TrainingArguments:
    devices = int(os.environ.get("WORLD_SIZE", "1"))
    micro = min(config.micro_batch_size, max(1, config.batch_size // devices))
    accumulate, rest = divmod(config.batch_size, micro * devices)
    if rest:
        raise InputError(
            f"batch_size {config.batch_size} is not a multiple of micro_batch_size {micro} x "
            f"{devices} devices; change one of them"
        )
    steps = math.ceil(examples * config.epochs / config.batch_size)
    return TrainingArguments(
        output_dir=str(state),
        num_train_epochs=config.epochs,
        per_device_train_batch_size=micro,
        gradient_accumulation_steps=accumulate,
        learning_rate=config.learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=math.ceil(config.warmup * steps),
        weight_decay=config.weight_decay,
        max_grad_norm=config.max_grad_norm,
        bf16=bf16,
        use_cpu=not torch.cuda.is_available(),
        ddp_backend="gloo" if devices > 1 and not torch.cuda.is_available() else None,
        dataloader_pin_memory=torch.cuda.is_available(),
        save_steps=config.save_every,
        save_total_limit=1,
        logging_steps=max(1, min(10, steps // 20)),
        seed=seed,
        deepspeed=config.deepspeed,
        report_to=[name for name in config.report_to if name != "tensorboard"],
        remove_unused_columns=False,
        disable_tqdm=not sys.stderr.isatty(),
    )


class _Trainer(Trainer):
    """Trainer for an objective: saves what is trained only, two learning rates, logged parts."""

    def __init__(self, rates: tuple[float, float], **arguments: Any) -> None:
        super().__init__(**arguments)
        self.rates = rates
        self.examples: list[Example] = [example for _, example in arguments["train_dataset"]]
        self.parts: dict[str, torch.Tensor] = {}
        self.meter = Meter(_size(self.model), self.args.world_size)

    def create_optimizer(self, model: nn.Module | None = None) -> torch.optim.Optimizer:
        """AdamW; parameters of the LLM at the first rate, of mapper and losses at the second."""
        if self.optimizer is None:
            trained = _trained(model or self.model)
            llm = [p for name, p in trained.items() if ".llm." in name]
            other = [p for name, p in trained.items() if ".llm." not in name]
            groups = [
                {"params": parameters, "lr": rate}
                for parameters, rate in zip((llm, other), self.rates, strict=True)
                if parameters
            ]
            self.optimizer = torch.optim.AdamW(groups, weight_decay=self.args.weight_decay)
        return self.optimizer

    def compute_loss(
        self,
        model: nn.Module,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> Any:
        examples = [self.examples[i] for i in inputs.pop("example").tolist()]
        self.meter.add(sum(map(len, examples)))
        loss, outputs = super().compute_loss(model, inputs, True, num_items_in_batch)
        if not torch.isfinite(loss):
            raise InputError(
                f"the loss is {float(loss)} at step {self.state.global_step + 1} on the examples "
                f"{', '.join(example.id for example in examples)}; look at them, or lower "
                "learning_rate; the last state before it is kept"
            )
        self.parts = {name: value for name, value in outputs.items() if name != "loss"}
        return (loss, outputs) if return_outputs else loss

    def log(self, logs: dict[str, float], *arguments: Any, **keywords: Any) -> None:
        if "loss" in logs:
            parts = {name: round(float(value), 4) for name, value in self.parts.items()}
            logs = logs | parts | self.meter.read()
            optimiser: Any = self.optimizer
            if "learning_rate" in logs and len(optimiser.param_groups) > 1:
                # One schedule for both groups of parameters.
                logs["learning_rate_mapper"] = logs["learning_rate"] / self.rates[0] * self.rates[1]
        super().log(logs, *arguments, **keywords)

    def _get_train_sampler(self, train_dataset: Any = None) -> Sampler:
        step = self.args.gradient_accumulation_steps * self.args.world_size
        lengths = [len(example) for example in self.examples]
        return _LengthGrouped(lengths, self.args.train_batch_size * step, self.args.seed)

    def _save(self, output_dir: str | None = None, state_dict: dict | None = None) -> None:
        folder = Path(output_dir or str(self.args.output_dir))
        folder.mkdir(parents=True, exist_ok=True)
        state = state_dict or {name: p.detach() for name, p in _trained(self.model).items()}
        trained = {name: state[name].contiguous() for name in _trained(self.model)}
        save_file(trained, folder / WEIGHTS)

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        weights = load_file(Path(resume_from_checkpoint) / WEIGHTS)
        target: Any = model or self.model
        unexpected = target.load_state_dict(weights, strict=False).unexpected_keys
        if unexpected:
            raise InputError(
                f"{resume_from_checkpoint} is of another model (first {unexpected[0]}); remove it"
            )


class _Numbered:
    """A collator of (number, example): the batch says whose it is, for errors and counts."""

    def __init__(self, collate: Callable) -> None:
        self.collate = collate

    def __call__(self, rows: Sequence[tuple[int, Example]]) -> dict[str, torch.Tensor]:
        numbers, examples = zip(*rows, strict=True)
        return {**self.collate(examples), "example": torch.tensor(numbers)}


class _LengthGrouped(Sampler[int]):
    """A fresh order every epoch, rows of like length together, drawn from seed and epoch alone."""

    def __init__(self, lengths: list[int], batch_size: int, seed: int) -> None:
        self.lengths, self.batch_size, self.seed = lengths, batch_size, seed
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.lengths)

    def __iter__(self):
        generator = torch.Generator().manual_seed(self.seed + 1_000_003 * self.epoch)
        return iter(get_length_grouped_indices(self.lengths, self.batch_size, generator=generator))


def _trained(model: Any) -> dict[str, nn.Parameter]:
    return {name: p for name, p in model.named_parameters() if p.requires_grad}


def _size(model: Any) -> int:
    """Parameters of the LLM that a token meets: not the look-up of its embedding."""
    every = sum(p.numel() for p in model.parameters())
    llm = model.meg.llm
    tied = getattr(llm.config, "tie_word_embeddings", False)
    return every - (0 if tied else llm.get_input_embeddings().weight.numel())


def _last_complete(state: Path) -> str | None:
    """The newest checkpoint whose last-written file is whole."""
    for folder in sorted(state.glob("checkpoint-*"), key=_step, reverse=True):
        try:
            json.loads((folder / "trainer_state.json").read_text())
        except (OSError, ValueError):
            log.warning("%s is incomplete, ignored", folder)
            continue
        log.info("continuing from %s", folder)
        return str(folder)
    return None


def _step(folder: Path) -> int:
    return int(folder.name.rpartition("-")[2])
