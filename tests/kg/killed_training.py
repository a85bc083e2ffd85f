"""kg.train, stopped before its third epoch, in processes that torchrun starts (test_processes).

Each process logs a digest of its weights before it stops.
"""

import contextlib
import hashlib
import sys

from kg.encoders import training
from kg.shared.command import main
from kg.train import TrainCommand

epoch = training._Run.epoch


def stopped_in_the_third(run):
    if len(run.history) == 2:
        weights = [value.numpy().tobytes() for value in run.model.state_dict().values()]
        sys.stderr.write(f"weights {hashlib.sha256(b''.join(weights)).hexdigest()}\n")
        raise KeyboardInterrupt
    epoch(run)


training._Run.epoch = stopped_in_the_third
with contextlib.suppress(KeyboardInterrupt):
    main(TrainCommand)
