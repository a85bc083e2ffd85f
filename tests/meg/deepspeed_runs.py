"""Trainings by DeepSpeed one after the other, in processes that torchrun starts (test_processes).

The argument is a file with a FinetuneCommand a line, as JSON. Each gets SIGTERM in its first
forward pass and is then run again. On a CPU DeepSpeed would compile an extension for sums through
shared memory, for minutes; gloo does the same.
"""

import os
import signal
import sys
from pathlib import Path

import deepspeed
import pytest
from accelerate.state import AcceleratorState

from meg.finetune import FinetuneCommand
from meg.objectives import Answer

deepspeed.ops.__compatible_ops__["deepspeed_shm_comm"] = False
forward = Answer.forward


def terminated(*arguments, **keywords):
    Answer.forward = forward
    os.kill(os.getpid(), signal.SIGTERM)
    return forward(*arguments, **keywords)


for line in Path(sys.argv[1]).read_text().splitlines():
    command = FinetuneCommand.model_validate_json(line)
    Answer.forward = terminated
    with pytest.raises(SystemExit, match="143"):
        command.run()
    base = Path(command.model.base) / "model.safetensors"
    saved = [path.stat().st_size for path in command.state.rglob("*_model_states.pt")]
    assert saved
    assert max(saved) < base.stat().st_size / 2, "the frozen LLM was saved too"
    AcceleratorState._reset_state()
    command.run()
    AcceleratorState._reset_state()
