import math
from pathlib import Path

import numpy as np
import pytest
import torch

from kg.errors import InputError
from meg.batch import Collator
from meg.checkpoint import build
from meg.config import TrainingConfig
from meg.objectives import Answer
from meg.tokens import Example
from meg.training import _last_complete, _trained, train
from meg.vectors import Vectors


def examples(tokens, count=12):
    rng = np.random.default_rng(0)
    return [
        Example(
            f"q{i}",
            (tokens.placeholder, *rng.integers(0, 200, 4 + i % 5).tolist()),
            tuple(tuple(rng.integers(0, 200, 3).tolist()) for _ in range(3)),
            (f"C{i:02}",),
            gold=i % 3,
        )
        for i in range(count)
    ]


def config(**changes):
    settings = {"epochs": 2, "learning_rate": 1e-2, "batch_size": 4, "micro_batch_size": 4}
    return TrainingConfig(**(settings | {"report_to": [], "save_every": 2} | changes))


def run(model_config, store, state: Path, stop_after=None, **changes):
    """Weights and history of a short Phase II; `stop_after` kills it at that step."""
    torch.manual_seed(0)
    meg, tokens = build(model_config, store.dim)
    objective = Answer(meg, True, None)
    if stop_after is not None:
        calls = iter(range(stop_after))
        forward = objective.forward

        def dying(*arguments, **keywords):
            if next(calls, None) is None:
                raise KeyboardInterrupt
            return forward(*arguments, **keywords)

        objective.forward = dying
    history = train(
        objective, examples(tokens), Collator(Vectors(store)), config(**changes), state, 0, False
    )
    return {name: p.detach().clone() for name, p in _trained(objective).items()}, history


class TestKilledRun:
    def test_continues_to_the_same_weights(self, model_config, store, tmp_path):
        expected, _ = run(model_config, store, tmp_path / "whole")
        with pytest.raises(KeyboardInterrupt):
            run(model_config, store, tmp_path / "killed", stop_after=5)
        assert (tmp_path / "killed" / "checkpoint-4").is_dir()
        found, _ = run(model_config, store, tmp_path / "killed")
        assert all(torch.equal(found[name], expected[name]) for name in expected)

    def test_ignores_a_checkpoint_that_was_not_finished(self, tmp_path):
        for step, text in ((2, "{}"), (4, '{"global')):
            (tmp_path / f"checkpoint-{step}").mkdir()
            (tmp_path / f"checkpoint-{step}" / "trainer_state.json").write_text(text)
        (tmp_path / "checkpoint-10").mkdir()
        assert _last_complete(tmp_path) == str(tmp_path / "checkpoint-2")


class TestAccumulation:
    def test_four_times_one_example_is_one_times_four(self, model_config, store, tmp_path):
        """Worst difference seen 2e-6 after six steps of Adam in float32."""
        whole, _ = run(model_config, store, tmp_path / "whole")
        parts, _ = run(model_config, store, tmp_path / "parts", micro_batch_size=1)
        for name in whole:
            torch.testing.assert_close(parts[name], whole[name], atol=1e-4, rtol=0)

    def test_batches_that_do_not_divide_are_refused(self, model_config, store, tmp_path):
        with pytest.raises(InputError, match="not a multiple"):
            run(model_config, store, tmp_path, batch_size=4, micro_batch_size=3)


class TestLearning:
    def test_the_loss_falls_below_chance(self, model_config, store, tmp_path):
        _, history = run(model_config, store, tmp_path, epochs=15)
        losses = [row["loss"] for row in history if "loss" in row]
        assert losses[-1] < 0.5 * math.log(3)

    def test_the_base_model_is_left_alone(self, model_config, store, tmp_path):
        weights, _ = run(model_config, store, tmp_path)
        assert all("lora_" in name or "mapper" in name for name in weights)
