"""A graph encoder trained by two processes, over gloo on the CPU."""

import json
import re

import numpy as np
import pytest
import torch

from kg.shared import processes
from kg.shared.errors import InputError
from kg.store import EmbeddingStore
from tests.kg.encoder_run import command, files, write_tables
from tests.torchrun import flags, launch

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    return write_tables(tmp_path_factory.mktemp("tables"))


def history(out):
    return [json.loads(line) for line in (out / "out" / "history.jsonl").read_text().splitlines()]


class TestTwoProcesses:
    def test_learn_what_one_learns(self, tables, tmp_path):
        """Other neighbours and negatives are drawn, so not to the last bit."""
        settings = {"encoder": "edgegraphsage", "epochs": 15, "patience": 15}
        command(tables, tmp_path / "one", **settings).run()
        launch("kg.train", *flags(command(tables, tmp_path / "two", **settings)))
        one, two = history(tmp_path / "one"), history(tmp_path / "two")
        assert two[0] != one[0]
        assert two[-1]["loss"] == pytest.approx(one[-1]["loss"], rel=0.1)
        assert two[-1]["loss"] < 0.7 * two[0]["loss"]
        store = EmbeddingStore(tmp_path / "two" / "out" / "embeddings.h5")
        assert np.isfinite(store.embedding[:]).all()
        assert list((tmp_path / "two" / "state").iterdir()) == []

    def test_killed_they_continue_and_end_the_same(self, tables, tmp_path):
        launch("kg.train", *flags(command(tables, tmp_path / "a", "distmult")))
        killed = flags(command(tables, tmp_path / "b", "distmult"))
        digests = re.findall(r"weights (\w+)", launch("tests.kg.killed_training", *killed))
        assert len(digests) == 2
        assert digests[0] == digests[1], "the two processes have trained two models"
        state = torch.load(tmp_path / "b" / "state" / "checkpoint.pt", weights_only=True)
        assert len(state["history"]) == 2
        assert len(state["generators"]) == 2
        logged = launch("kg.train", *killed)
        assert "continuing after epoch 2" in logged
        assert files(tmp_path / "a") == files(tmp_path / "b")


def test_more_processes_than_gpus_are_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    assert processes.device() == torch.device("cuda", 0)
    monkeypatch.setenv("LOCAL_RANK", "1")
    with pytest.raises(InputError, match="process 1 of this machine has no GPU: 1 can be seen"):
        processes.device()
