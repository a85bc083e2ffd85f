"""On a GPU as on the CPU: `make test-gpu`."""

import pytest
import torch

from meg.inference.generation import left_padded, write
from meg.model.batch import Collator
from meg.model.scores import inputs_of
from meg.prompts.vectors import Vectors
from tests.meg.training.test_loop import examples, run

pytestmark = pytest.mark.gpu


def same(found, expected):
    for name in expected:
        torch.testing.assert_close(found[name].cpu(), expected[name].cpu(), atol=1e-3, rtol=0)


def test_logits_of_shared_and_single_rows(network_and_tokens, store):
    network, tokens = network_and_tokens
    rows = examples(tokens)
    for chosen in (rows, rows[0].apart(tokens.placeholder)):
        batch = inputs_of(Collator.of(network, Vectors(store))(chosen))
        with torch.no_grad():
            found = network.cuda()(**{name: value.cuda() for name, value in batch.items()})
            torch.testing.assert_close(found.cpu(), network.cpu()(**batch), atol=1e-4, rtol=0)


def test_generation(network_and_tokens, store):
    network, tokens = network_and_tokens
    rows = [row.apart(tokens.placeholder)[0] for row in examples(tokens, 4)]
    batch = left_padded(rows, Vectors(store))
    assert write(network.cuda(), tokens, batch, 8) == write(network.cpu(), tokens, batch, 8)


class TestTraining:
    def test_ends_as_on_the_cpu(self, model_config, store, tmp_path, monkeypatch):
        found, history = run(model_config, store, tmp_path / "gpu")
        assert next(iter(found.values())).device.type == "cuda"
        assert {"mfu", "peak_gib"} <= {*next(row for row in history if "loss" in row)}
        monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
        same(found, run(model_config, store, tmp_path / "cpu")[0])

    def test_a_killed_run_ends_as_one_that_was_not(self, model_config, store, tmp_path):
        expected, _ = run(model_config, store, tmp_path / "whole")
        with pytest.raises(KeyboardInterrupt):
            run(model_config, store, tmp_path / "killed", stop_after=5)
        same(run(model_config, store, tmp_path / "killed")[0], expected)

    def test_compiled_layers_change_nothing(self, model_config, store, tmp_path):
        plain, _ = run(model_config, store, tmp_path / "plain")
        changes = {"compile": True, "gradient_checkpointing": True}
        same(run(model_config, store, tmp_path / "compiled", **changes)[0], plain)
