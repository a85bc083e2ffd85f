import math
import os
import signal
from pathlib import Path

import numpy as np
import pytest
import torch
import torch._functorch.config as functorch
from safetensors.torch import load_file

from kg.shared.errors import InputError, Preempted
from meg.config import TrainingConfig
from meg.model.batch import Collator
from meg.model.checkpoint import build
from meg.prompts.tokens import Example
from meg.prompts.vectors import Vectors
from meg.training import loop
from meg.training.loop import _last_complete, ready, train
from meg.training.objectives import Answer
from meg.training.trainer import trained_parameters
from tests.meg.training.tracing import traced


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


def interrupt():
    raise KeyboardInterrupt


def run(model_config, store, state: Path, stop_after=None, stop=interrupt, **changes):
    """Weights and history of a short Phase II; at step `stop_after` it calls `stop`."""
    torch.manual_seed(0)
    network, tokens = build(model_config, store.dim)
    objective = Answer(network, True, None)
    if stop_after is not None:
        calls = iter(range(stop_after))
        forward = objective.forward

        def dying(*arguments, **keywords):
            if next(calls, None) is None:
                stop()
            return forward(*arguments, **keywords)

        objective.forward = dying
    history = train(
        objective, examples(tokens), Collator(Vectors(store)), config(**changes), state, 0, False
    )
    return {name: p.detach().clone() for name, p in trained_parameters(objective).items()}, history


class TestKilledRun:
    def test_continues_to_the_same_weights(self, model_config, store, tmp_path):
        expected, _ = run(model_config, store, tmp_path / "whole")
        with pytest.raises(KeyboardInterrupt):
            run(model_config, store, tmp_path / "killed", stop_after=5)
        assert (tmp_path / "killed" / "checkpoint-4").is_dir()
        found, _ = run(model_config, store, tmp_path / "killed")
        assert all(torch.equal(found[name], expected[name]) for name in expected)

    def test_a_damaged_state_is_passed_over(self, model_config, store, tmp_path, caplog):
        expected, _ = run(model_config, store, tmp_path / "whole")
        with pytest.raises(KeyboardInterrupt):
            run(model_config, store, tmp_path / "killed", stop_after=5)
        before, last = (tmp_path / "killed" / f"checkpoint-{step}" for step in (2, 4))
        for name in ("optimizer.pt", "scheduler.pt", "rng_state.pth", "trainable.safetensors"):
            content = (last / name).read_bytes()
            (last / name).write_bytes(content[: len(content) // 2])
            assert _last_complete(tmp_path / "killed") == str(before)
            assert f"{name} is cut short or damaged" in caplog.text
            (last / name).write_bytes(content)
        assert _last_complete(tmp_path / "killed") == str(last)
        (last / "optimizer.pt").write_bytes(b"")
        found, _ = run(model_config, store, tmp_path / "killed")
        assert all(torch.equal(found[name], expected[name]) for name in expected)

    def test_stops_and_saves_at_sigterm(self, model_config, store, tmp_path):
        def terminate():
            os.kill(os.getpid(), signal.SIGTERM)

        handler = signal.getsignal(signal.SIGTERM)
        expected, _ = run(model_config, store, tmp_path / "whole", save_every=100)
        with pytest.raises(Preempted, match=r"stopped at step 3, state saved in .*asked"):
            run(model_config, store, tmp_path / "asked", 2, terminate, save_every=100)
        assert (tmp_path / "asked" / "checkpoint-3").is_dir()
        assert signal.getsignal(signal.SIGTERM) is handler
        found, _ = run(model_config, store, tmp_path / "asked", save_every=100)
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


class TestClipping:
    def test_can_be_off(self, model_config, store, tmp_path):
        norms = {"off": None, "never": 1e9, "always": 1e-9}
        found = {
            name: run(model_config, store, tmp_path / name, max_grad_norm=norm, epochs=0.5)[0]
            for name, norm in norms.items()
        }
        assert all(torch.equal(found["off"][name], found["never"][name]) for name in found["off"])
        assert any(
            not torch.equal(found["off"][name], found["always"][name]) for name in found["off"]
        )


class TestLearning:
    def test_the_loss_falls_below_chance(self, model_config, store, tmp_path):
        _, history = run(model_config, store, tmp_path, epochs=15)
        losses = [row["loss"] for row in history if "loss" in row]
        assert losses[-1] < 0.5 * math.log(3)

    def test_the_base_model_is_left_alone(self, model_config, store, tmp_path):
        weights, _ = run(model_config, store, tmp_path)
        assert all("lora_" in name or "mapper" in name for name in weights)


class TestBrokenLoss:
    def test_stops_with_the_step_and_the_examples(self, model_config, store, tmp_path):
        def broken(cuis):
            vectors = Vectors(store)(cuis)
            return np.where(np.array(cuis)[:, None] == "C07", np.nan, vectors).astype(np.float32)

        torch.manual_seed(0)
        network, tokens = build(model_config, store.dim)
        with pytest.raises(InputError, match=r"loss is nan at step 1 on the examples q\d+, .*q7"):
            train(
                Answer(network, True, None),
                examples(tokens),
                Collator(broken),
                config(batch_size=12, micro_batch_size=12),
                tmp_path,
                0,
                False,
            )

    def test_of_a_state_is_not_saved(self, model_config, store, tmp_path):
        with pytest.raises(InputError, match=r"finite|loss is (nan|inf)"):
            run(model_config, store, tmp_path, learning_rate=float("inf"), save_every=1)
        for state in tmp_path.glob("checkpoint-*/trainable.safetensors"):
            assert all(value.isfinite().all() for value in load_file(state).values())


class TestGradientCheckpointing:
    @pytest.mark.parametrize("injection", ["input", "last"])
    def test_changes_nothing(self, model_config, store, tmp_path, injection):
        """Activations are computed twice, in the same way."""
        model_config = model_config.model_copy(update={"injection": injection})
        plain, _ = run(model_config, store, tmp_path / "plain", epochs=0.5)
        saved, _ = run(
            model_config, store, tmp_path / "saved", epochs=0.5, gradient_checkpointing=True
        )
        for name in plain:
            torch.testing.assert_close(saved[name], plain[name], atol=1e-5, rtol=0)


class TestCompiled:
    @pytest.mark.parametrize("injection", ["input", "last"])
    def test_changes_nothing(self, model_config, store, tmp_path, monkeypatch, injection):
        compiled = []

        def compile_(layer, **keywords):
            compiled.append(layer)
            traced(layer, **keywords)

        monkeypatch.setattr(torch.nn.Module, "compile", compile_)
        model_config = model_config.model_copy(update={"injection": injection})
        plain, _ = run(model_config, store, tmp_path / "plain")
        fast, _ = run(
            model_config, store, tmp_path / "fast", compile=True, gradient_checkpointing=True
        )
        assert len(compiled) == 2
        for name in plain:
            torch.testing.assert_close(fast[name], plain[name], atol=1e-4, rtol=0)

    @pytest.mark.parametrize(("recompute", "kept"), [(True, loop.KEPT), (False, 1.0)])
    def test_recomputes_where_memory_is_to_be_saved(
        self, network_and_tokens, monkeypatch, recompute, kept
    ):
        monkeypatch.setattr(torch.nn.Module, "compile", lambda *_, **__: None)
        network = network_and_tokens[0]
        with ready(network, config(compile=True, gradient_checkpointing=recompute), False):
            assert functorch.activation_memory_budget == kept
        assert functorch.activation_memory_budget == 1.0


class TestCheck:
    def test_says_what_compiler_is_missing(self, monkeypatch):
        monkeypatch.setenv("CXX", "no-such-compiler")
        with pytest.raises(InputError, match=r"no-such-compiler is not there; .*compile: false"):
            loop.check(config(compile=True))

    def test_says_that_deepspeed_is_missing(self, monkeypatch):
        monkeypatch.setattr(loop, "is_deepspeed_available", lambda: False)
        with pytest.raises(InputError, match="pip install deepspeed, or set it to null"):
            loop.check(config(deepspeed="config/deepspeed/zero2.json"))

    def test_says_that_its_settings_are_missing(self, monkeypatch):
        monkeypatch.setattr(loop, "is_deepspeed_available", lambda: True)
        with pytest.raises(InputError, match=r"zero9\.json does not exist in /.*; give the path"):
            loop.check(config(deepspeed="zero9.json"))

    def test_says_that_a_logger_is_missing(self):
        with pytest.raises(InputError, match="report_to: tensorbord is not installed or no logger"):
            loop.check(config(report_to=["tensorbord"]))

    def test_passes_what_is_there(self, monkeypatch, tmp_path):
        monkeypatch.setattr(loop, "is_deepspeed_available", lambda: True)
        monkeypatch.setenv("CXX", "python3 -O")
        (tmp_path / "zero.json").touch()
        loop.check(config(compile=True, deepspeed=str(tmp_path / "zero.json")))
        loop.check(config())


def test_adapters_read_bfloat16_as_it_is(model_config, store, tmp_path):
    """PEFT would make it float32 first."""
    network, tokens = build(model_config, store.dim)
    network.llm.get_base_model().bfloat16()
    seen = []
    for name, module in network.llm.named_modules():
        if name.endswith("lora_A.default"):
            module.float().register_forward_pre_hook(lambda _, read: seen.append(read[0].dtype))
        elif name.endswith("lora_B.default"):
            module.float()
    collate = Collator.of(network, Vectors(store))
    train(Answer(network, True, None), examples(tokens), collate, config(), tmp_path, 0, True)
    assert set(seen) == {torch.bfloat16}


class TestLog:
    def test_has_rates_and_speed_and_outlives_the_state(self, model_config, store, tmp_path):
        state = tmp_path / "state"
        rates = {"learning_rate": 1e-2, "mapper_learning_rate": 2e-2}
        _, history = run(model_config, store, state, report_to=["tensorboard"], **rates)
        row = [row for row in history if "loss" in row][-1]
        assert row["learning_rate"] > 0
        assert row["learning_rate_mapper"] == pytest.approx(2 * row["learning_rate"])
        assert row["tokens_per_second"] > 0
        assert list((tmp_path / "state.tensorboard").glob("events.*"))
        assert not list(state.rglob("events.*"))
