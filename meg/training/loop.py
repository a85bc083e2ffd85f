"""The training loop of both phases: transformers' Trainer over an objective module."""

import logging
import math
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
import torch._functorch.config as functorch
from peft.helpers import disable_input_dtype_casting
from torch import nn
from torch.utils.tensorboard import SummaryWriter
from transformers import TrainingArguments
from transformers.integrations import (
    TensorBoardCallback,
    get_available_reporting_integrations,
    is_deepspeed_available,
)
from transformers.trainer_callback import PrinterCallback

from kg.shared import processes
from kg.shared.damage import check_file
from kg.shared.errors import InputError, Preempted
from meg.config import TrainingConfig
from meg.model.checkpoint import History
from meg.model.network import ConceptLM, layers
from meg.prompts.tokens import Example
from meg.training.callbacks import LogLines, StopOnSignal
from meg.training.trainer import Numbered, ObjectiveTrainer

__all__ = ["check", "ready", "train"]

log = logging.getLogger(__name__)

WARMUP = 0.03
"""Share of the steps with a rising learning rate."""

KEPT = 0.5
"""Part of the activations' memory that compiled layers keep; the rest is recomputed."""


def train(
    objective: nn.Module,
    examples: Sequence[Example],
    collate: Callable,
    config: TrainingConfig,
    state: Path,
    seed: int,
    bf16: bool,
    watch: Callable[[], dict[str, float]] = dict,
) -> History:
    """Minimise `objective` over the examples; it ends with its trained weights.

    Checkpoints lie in `state`; a complete one that is there already is continued from, with the
    same order of the data and the same result. Returns what was logged, by step: loss and its
    parts, gradient norm, learning rate, and what `watch` tells. Raises Preempted after SIGTERM.
    """
    network: Any = objective.network
    layer = type(layers(network.llm)[-1]).__name__
    arguments = _arguments(config, state, len(examples), seed, bf16, layer)
    # A process uses one GPU, whatever it sees: DataParallel would cut the flat concept vectors.
    arguments._n_gpu = min(1, arguments.n_gpu)
    trainer = ObjectiveTrainer(
        model=objective,
        args=arguments,
        train_dataset=list(enumerate(examples)),
        data_collator=Numbered(collate),
        rates=(config.learning_rate, config.mapper_learning_rate or config.learning_rate),
        watch=watch,
    )
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(LogLines())
    trainer.add_callback(StopOnSignal())
    if "tensorboard" in config.report_to and processes.is_first():
        # Beside the state, as success removes that.
        trainer.add_callback(TensorBoardCallback(SummaryWriter(f"{state}.tensorboard")))
    # The first process has prepared the folder; the others may look only now.
    trainer.accelerator.wait_for_everyone()
    with ready(network, config, bf16):
        trainer.train(resume_from_checkpoint=_last_complete(state))
    if trainer.state.global_step < trainer.state.max_steps:
        raise Preempted(f"stopped at step {trainer.state.global_step}, state saved in {state}")
    trainer.give_back()
    return trainer.state.log_history


@contextmanager
def ready(network: ConceptLM, config: TrainingConfig, bf16: bool) -> Iterator[None]:
    """The LLM's layers compiled and its activations recomputed, as the configuration wants."""
    llm, attention, budget = network.llm, network.attention, 1.0
    if config.compile:
        if "flash" in attention:
            log.info("layers are compiled with SDPA, which the compiler knows, not %s", attention)
            network.attention = "sdpa"
        for layer in layers(llm):
            layer.compile(dynamic=True)
        # The compiler recomputes what is cheap, not every layer whole.
        budget = KEPT if config.gradient_checkpointing else 1.0
    elif config.gradient_checkpointing:
        # The Trainer would look for this method on the objective.
        llm.gradient_checkpointing_enable({"use_reentrant": False})
    try:
        with (
            # PEFT would make a float32 copy of what an adapter reads, which autocast narrows again.
            disable_input_dtype_casting(llm, active=bf16),
            functorch.patch(activation_memory_budget=budget),
        ):
            yield
    finally:
        network.attention = attention


def check(config: TrainingConfig) -> None:
    """Raise InputError, before minutes are spent, where what a training needs is not there."""
    cuda = torch.cuda.is_available()
    variable, names = ("CC", ("gcc", "clang")) if cuda else ("CXX", ("g++", "clang++"))
    named = os.environ.get(variable)
    if config.compile and not any(map(shutil.which, named.split()[:1] if named else names)):
        raise InputError(
            f"training.compile needs a compiler, and {named or ' or '.join(names)} is not there; "
            f"install it, name one in {variable}, or set training.compile: false"
        )
    known = {"all", "none", *get_available_reporting_integrations()}
    if missing := [name for name in config.report_to if name not in known]:
        raise InputError(
            f"training.report_to: {missing[0]} is not installed or no logger of transformers "
            f"(here are {', '.join(sorted(known))}); install it, or name another"
        )
    if config.deepspeed is None:
        return
    if not is_deepspeed_available():
        raise InputError(
            "training.deepspeed needs deepspeed: pip install deepspeed, or set it to null"
        )
    if not Path(config.deepspeed).is_file():
        raise InputError(
            f"training.deepspeed: {config.deepspeed} does not exist in {Path.cwd()}; give the path "
            "of DeepSpeed's settings: this project's config/deepspeed/*.json, or your own"
        )


def _arguments(
    config: TrainingConfig, state: Path, examples: int, seed: int, bf16: bool, layer: str
) -> TrainingArguments:
    devices = int(os.environ.get("WORLD_SIZE", "1"))
    micro = min(config.micro_batch_size, max(1, config.batch_size // devices))
    accumulate, rest = divmod(config.batch_size, micro * devices)
    if rest:
        raise InputError(
            f"batch_size {config.batch_size} is not a multiple of micro_batch_size {micro} x "
            f"{devices} devices; change one of them"
        )
    if micro < config.micro_batch_size:
        log.warning(
            "micro_batch_size %d instead of %d, as %d devices share batch_size %d; Phase I "
            "contrasts only the names that a device holds at once, or with align.gather all do",
            micro,
            config.micro_batch_size,
            devices,
            config.batch_size,
        )
    parted = config.fsdp and devices > 1
    if config.fsdp and not parted:
        log.warning("fsdp has nothing to part the LLM over: one process trains")
    if parted and not torch.cuda.is_available():
        log.warning("accelerate knows fsdp on GPUs only: plain data parallelism instead")
    steps = math.ceil(examples * config.epochs / config.batch_size)
    # True is FSDP to every version, though this one's annotation says text.
    fsdp: Any = True if parted else None
    fsdp_config = {"version": 2, "transformer_layer_cls_to_wrap": [layer]} if parted else None
    return TrainingArguments(
        output_dir=str(state),
        num_train_epochs=config.epochs,
        per_device_train_batch_size=micro,
        gradient_accumulation_steps=accumulate,
        learning_rate=config.learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=math.ceil(WARMUP * steps),
        weight_decay=config.weight_decay,
        # The Trainer's word for no clipping is 0.
        max_grad_norm=config.max_grad_norm or 0.0,
        bf16=bf16,
        use_cpu=not torch.cuda.is_available(),
        ddp_backend="gloo" if devices > 1 and not torch.cuda.is_available() else None,
        dataloader_pin_memory=torch.cuda.is_available(),
        save_steps=config.save_every,
        save_total_limit=2,
        logging_steps=max(1, min(10, steps // 20)),
        seed=seed,
        deepspeed=config.deepspeed,
        fsdp=fsdp,
        fsdp_config=fsdp_config,
        report_to=[name for name in config.report_to if name != "tensorboard"],
        remove_unused_columns=False,
        disable_tqdm=not sys.stderr.isatty(),
    )


def _last_complete(state: Path) -> str | None:
    """The newest checkpoint whose files are whole; None where the training has to start anew."""
    for folder in sorted(state.glob("checkpoint-*"), key=_step, reverse=True):
        try:
            # Written last.
            check_file(folder / "trainer_state.json", "the state before it is taken, if any")
            for file in sorted(folder.rglob("*")):
                if file.suffix in (".json", ".safetensors", ".pt", ".pth"):
                    check_file(file, "the state before it is taken, if any")
        except InputError as error:
            log.warning("%s is incomplete, ignored: %s", folder, error)
            continue
        log.info("continuing from %s", folder)
        return str(folder)
    return None


def _step(folder: Path) -> int:
    return int(folder.name.rpartition("-")[2])
