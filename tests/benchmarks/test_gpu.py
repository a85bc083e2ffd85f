import sys

import pytest
import torch

from benchmarks import gpu


@pytest.fixture
def call(monkeypatch, capsys):
    def printed(*arguments):
        monkeypatch.setattr(sys, "argv", ["gpu", *arguments])
        gpu.main()
        return capsys.readouterr().out

    return printed


def test_measures_both_phases_beside_plain_training(call, monkeypatch):
    # What compiled layers compute is tested with the training loop.
    monkeypatch.setattr(torch.nn.Module, "compile", lambda *_, **__: None)
    rows = [line for line in call("--tiny", "--steps", "1").splitlines() if line[:3] == "| L"]
    assert [row.split("|")[2].strip()[:12] for row in rows] == [
        "run",
        "plain transf",
        "Phase II, no",
        "Phase I",
        "Phase II",
    ]
    assert all(float(row.split("|")[5]) > 0 for row in rows[1:])


def test_without_a_gpu_says_so(call, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(SystemExit, match="no CUDA device"):
        call()


def test_examples_have_the_length_and_placeholders_asked_for():
    (example,) = gpu.examples(vocabulary=50, count=1, length=40, concepts=3)
    assert len(example) == 40
    assert example.prefix.count(50) == len(example.cuis) == 3
