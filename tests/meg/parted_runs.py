"""Trainings, also by DeepSpeed and FSDP, one after the other in processes of torchrun.

The argument is a file with a FinetuneCommand a line, as JSON (test_processes). Each gets SIGTERM
in the middle of its second epoch and is then run again. On a CPU DeepSpeed would compile an
extension for sums through shared memory, for minutes; gloo does the same. And accelerate takes FSDP
for a thing of GPUs only: it is told that these processes are to use it. Layers are compiled without
code being made.
"""

import os
import signal
import sys
from itertools import count
from pathlib import Path

import deepspeed
import pytest
import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from accelerate.utils import DistributedType
from torch.distributed.tensor import DTensor

from kg.shared.errors import Preempted
from meg import finetune
from meg.finetune import FinetuneCommand
from meg.training.objectives import Answer
from tests.meg.training.tracing import traced

deepspeed.ops.__compatible_ops__["deepspeed_shm_comm"] = False
BEFORE = 4
"""Forward passes before the one that gets the signal: an epoch's two steps of two each."""

forward = Answer.forward
prepared = Accelerator.__init__


def with_fsdp(self, *arguments, fsdp_plugin=None, **keywords):
    prepared(self, *arguments, fsdp_plugin=fsdp_plugin, **keywords)
    if fsdp_plugin is not None:
        state = AcceleratorState._shared_state
        state |= {"distributed_type": DistributedType.FSDP, "fsdp_plugin": fsdp_plugin}


Accelerator.__init__ = with_fsdp
torch.nn.Module.compile = traced
finetune.check = lambda config: None


def terminated(objective, *arguments, **keywords):
    if next(passes) < BEFORE:
        return forward(objective, *arguments, **keywords)
    Answer.forward = forward
    if command.config.training.fsdp:
        assert any(isinstance(p, DTensor) for p in objective.parameters()), "nothing is parted"
    os.kill(os.getpid(), signal.SIGTERM)
    return forward(objective, *arguments, **keywords)


def forget():
    """What accelerate keeps of the last training."""
    AcceleratorState._reset_state()
    os.environ.pop("ACCELERATE_USE_DEEPSPEED", None)
    os.environ.pop("ACCELERATE_USE_FSDP", None)


for line in Path(sys.argv[1]).read_text().splitlines():
    command = FinetuneCommand.model_validate_json(line)
    passes = count()
    Answer.forward = terminated
    with pytest.raises(Preempted):
        command.run()
    base = Path(command.model.base) / "model.safetensors"
    saved = [path.stat().st_size for path in command.state.rglob("checkpoint-3/**/*.*")]
    assert saved
    assert max(saved) < base.stat().st_size / 2, "the frozen LLM was saved too"
    forget()
    command.run()
    forget()
