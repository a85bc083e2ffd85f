"""transformers' Trainer for an objective: saves what is trained, two rates, batches by length."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from accelerate.utils.fsdp_utils import save_fsdp_optimizer
from safetensors.torch import save_file
from torch import nn
from torch.utils.data import Sampler
from transformers import Trainer
from transformers.trainer import SCHEDULER_NAME
from transformers.trainer_pt_utils import get_length_grouped_indices

from kg.shared.artefact import replacing, told_when_full
from kg.shared.errors import InputError
from kg.shared.model_files import read_tensors
from meg.model.checkpoint import check_finite
from meg.model.network import ConceptLM
from meg.prompts.tokens import Example
from meg.training.callbacks import FollowEpochs
from meg.training.meter import Meter
from meg.training.sharded import (
    give_back_deepspeed,
    give_back_fsdp,
    leave_out_frozen,
    load_into,
    whole,
)

__all__ = ["LengthGrouped", "Numbered", "ObjectiveTrainer", "trained_parameters"]

WEIGHTS = "trainable.safetensors"


class ObjectiveTrainer(Trainer):
    """Trainer for an objective: saves what is trained only, two learning rates, logged parts."""

    def __init__(
        self,
        rates: tuple[float, float],
        watch: Callable[[], dict[str, float]],
        **arguments: Any,
    ) -> None:
        super().__init__(**arguments)
        self.rates, self.watch = rates, watch
        self.examples: list[Example] = [example for _, example in arguments["train_dataset"]]
        step = self.args.train_batch_size * self.args.gradient_accumulation_steps
        lengths = [len(example) for example in self.examples]
        self.order = LengthGrouped(lengths, step * self.args.world_size, self.args.seed)
        self.add_callback(FollowEpochs(self.order))
        self.parts: list[dict[str, torch.Tensor]] = []
        self.meter = Meter(_size(self.model), self.args.world_size)

    def create_optimizer(self, model: nn.Module | None = None) -> torch.optim.Optimizer:
        """AdamW; parameters of the LLM at the first rate, of mapper and losses at the second."""
        if self.optimizer is None:
            trained = trained_parameters(model or self.model)
            llm = [p for name, p in trained.items() if ".llm." in name]
            other = [p for name, p in trained.items() if ".llm." not in name]
            groups = [
                {"params": parameters, "lr": rate}
                for parameters, rate in zip((llm, other), self.rates, strict=True)
                if parameters
            ]
            self.optimizer = torch.optim.AdamW(groups, weight_decay=self.args.weight_decay)
        return self.optimizer

    def create_scheduler(self, *arguments: Any, **keywords: Any) -> Any:
        """As the Trainer does; DeepSpeed's engine, as soon as it exists, is told what to save."""
        wrapped = getattr(self.accelerator, "deepspeed_engine_wrapped", None)
        if wrapped is not None:
            leave_out_frozen(wrapped.engine)
        return super().create_scheduler(*arguments, **keywords)

    def compute_loss(
        self,
        model: nn.Module,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> Any:
        """The objective's loss, finite; raises InputError with the step and the examples."""
        examples = [self.examples[i] for i in inputs.pop("example").tolist()]
        self.meter.add(sum(map(len, examples)))
        loss, outputs = super().compute_loss(model, inputs, True, num_items_in_batch)
        if not torch.isfinite(loss):
            raise InputError(
                f"the loss is {float(loss.detach())} at step {self.state.global_step + 1} on the "
                f"examples {', '.join(example.id for example in examples)}; look at them, or "
                "lower learning_rate, which starts anew"
            )
        self.parts.append({name: value for name, value in outputs.items() if name != "loss"})
        return (loss, outputs) if return_outputs else loss

    def log(self, logs: dict[str, float], *arguments: Any, **keywords: Any) -> None:
        """With the loss go its parts, speed and memory, `watch`, and the mapper's rate."""
        if "loss" in logs:
            # The mean since the last line, as the loss is.
            parts = {
                name: round(float(torch.stack([one[name] for one in self.parts]).mean()), 4)
                for name in (self.parts[0] if self.parts else {})
            }
            self.parts.clear()
            logs = logs | parts | self.meter.read()
            if not (self.is_deepspeed_enabled or self.is_fsdp_enabled):
                # Else the weights are in parts, or narrow.
                logs |= self.watch()
            optimiser: Any = self.optimizer
            if "learning_rate" in logs and len(optimiser.param_groups) > 1:
                # One schedule for both groups of parameters.
                logs["learning_rate_mapper"] = logs["learning_rate"] / self.rates[0] * self.rates[1]
        super().log(logs, *arguments, **keywords)

    def _get_train_sampler(self, train_dataset: Any = None) -> Sampler:
        return self.order

    def save_model(self, output_dir: str | None = None, _internal_call: bool = False) -> None:
        """What is trained; DeepSpeed's engine saves it itself, beside the optimiser."""
        if self.is_deepspeed_enabled:
            return
        weights = {name: whole(p) for name, p in trained_parameters(self.model).items()}
        check_finite(weights)
        if self.args.should_save:
            folder = Path(output_dir or str(self.args.output_dir))
            folder.mkdir(parents=True, exist_ok=True)
            with replacing(folder / WEIGHTS) as temporary:
                save_file(weights, temporary)

    def give_back(self) -> None:
        """Have whole float32 weights of adapters and mapper in every process."""
        objective: Any = self.model
        wanted = trained_parameters(objective)
        wanted |= {
            f"network.mapper.{name}": p for name, p in self.network.mapper.named_parameters()
        }
        if self.is_deepspeed_enabled:
            give_back_deepspeed(self.model_wrapped, list(wanted.values()))
        elif self.is_fsdp_enabled:
            give_back_fsdp(objective, set(wanted))
        self.network.mapper.float()

    @property
    def network(self) -> ConceptLM:
        """The model that the objective trains."""
        objective: Any = self.model
        return objective.network

    def _save_checkpoint(self, *arguments: Any) -> None:
        folder = Path(str(self.args.output_dir)) / f"checkpoint-{self.state.global_step}"
        try:
            with told_when_full(folder):
                super()._save_checkpoint(*arguments)
        except InputError:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def _save_optimizer_and_scheduler(self, output_dir: str) -> None:
        if not self.is_fsdp_enabled:
            super()._save_optimizer_and_scheduler(output_dir)
            return
        # The Trainer would save the LLM too.
        plugin = self.accelerator.state.fsdp_plugin
        save_fsdp_optimizer(plugin, self.accelerator, self.optimizer, self.model, output_dir)
        if self.args.should_save:
            scheduler: Any = self.lr_scheduler
            torch.save(scheduler.state_dict(), Path(output_dir) / SCHEDULER_NAME)

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        weights, _ = read_tensors(Path(resume_from_checkpoint) / WEIGHTS, "remove its folder")
        trained = trained_parameters(self.model)
        if different := sorted(set(weights) ^ set(trained)):
            raise InputError(
                f"{resume_from_checkpoint} is of another model (first {different[0]}); remove it"
            )
        for name, values in weights.items():
            load_into(trained[name], values)


class Numbered:
    """A collator of (number, example): the batch says whose it is, for errors and counts."""

    def __init__(self, collate: Callable) -> None:
        self.collate = collate

    def __call__(self, rows: Sequence[tuple[int, Example]]) -> dict[str, torch.Tensor]:
        numbers, examples = zip(*rows, strict=True)
        return {**self.collate(examples), "example": torch.tensor(numbers)}


class LengthGrouped(Sampler[int]):
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


def trained_parameters(model: Any) -> dict[str, nn.Parameter]:
    """Parameters that are not frozen, by name."""
    return {name: p for name, p in model.named_parameters() if p.requires_grad}


def _size(model: Any) -> int:
    """Parameters of the LLM that a token meets: not the look-up of its embedding."""
    every = sum(p.numel() for p in model.parameters())
    llm = model.network.llm
    tied = getattr(llm.config, "tie_word_embeddings", False)
    return every - (0 if tied else llm.get_input_embeddings().weight.numel())
