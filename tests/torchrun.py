"""Two processes that train together, as torchrun starts them, over gloo on the CPU."""

import json
import os
import subprocess
import sys


def launch(*module):
    """Run a module with its arguments in two processes; returns what they logged."""
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]
    ended = subprocess.run(
        [*torchrun, "-m", *map(str, module)],
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
        env=os.environ | {"DS_ACCELERATOR": "cpu"},
    )
    assert ended.returncode == 0, ended.stderr[-9000:]
    return ended.stderr


def flags(command):
    """A command's arguments, as its `python -m` takes them."""
    values = command.model_dump(mode="json", exclude_none=True)
    texts = {n: v if isinstance(v, str) else json.dumps(v) for n, v in values.items()}
    return [f"--{name}={text}" for name, text in texts.items()]
