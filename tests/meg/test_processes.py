"""Several processes that train together, as torchrun starts them, over gloo on the CPU."""

import os
import subprocess
import sys
from importlib.util import find_spec

import pytest
import torch
from safetensors.torch import load_file

from kg.resume import resumable
from meg.config import FinetuneConfig, PromptConfig, TrainingConfig
from meg.finetune import FinetuneCommand
from meg.question import Question, write_questions

TRAINING = TrainingConfig(
    epochs=1, learning_rate=1e-2, batch_size=4, micro_batch_size=2, report_to=[], save_every=1
)
CONFIG = FinetuneConfig(
    training=TRAINING,
    objective="listwise",
    prompt=PromptConfig(answer="text", list_options=False),
)


def weights(folder):
    found = load_file(folder / "adapter" / "adapter_model.safetensors")
    return found | load_file(folder / "mapper.safetensors")


@pytest.fixture
def command(model_config, store, tmp_path):
    questions = [
        Question(id=f"q{i}", stem=f"Which? {i}", options=("a", "b" * i), answer=i % 2)
        for i in range(1, 9)
    ]
    write_questions(tmp_path / "train.jsonl", questions)
    return FinetuneCommand(
        questions=tmp_path / "train.jsonl",
        store=store.path,
        model=model_config,
        config=CONFIG,
        state=tmp_path / "state",
        out=tmp_path / "one",
    )


def launch(command, out, **training):
    """Run the command in two processes; its checkpoint is written to `out`."""
    changed = command.config.training.model_copy(update=training)
    config = command.config.model_copy(update={"training": changed})
    flags = {
        "questions": command.questions,
        "store": command.store,
        "model": command.model.model_dump_json(),
        "config": config.model_dump_json(),
        "state": out.with_suffix(".state"),
        "out": out,
    }
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]
    ended = subprocess.run(
        [*torchrun, "-m", "meg.finetune", *(f"--{name}={value}" for name, value in flags.items())],
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
        env=os.environ | {"DS_ACCELERATOR": "cpu"},
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    assert not out.with_suffix(".state").exists()


class TestTwoProcesses:
    def test_end_like_one_that_accumulates(self, command, tmp_path):
        """After two steps of Adam in float32; the order of the sums differs."""
        command.run()
        launch(command, tmp_path / "two")
        one, two = weights(tmp_path / "one"), weights(tmp_path / "two")
        for name in one:
            torch.testing.assert_close(two[name], one[name], atol=1e-5, rtol=0)

    @pytest.mark.skipif(find_spec("deepspeed") is None, reason="deepspeed is not installed")
    def test_train_by_deepspeed(self, command, tmp_path):
        command.run()
        launch(command, tmp_path / "two", deepspeed="config/deepspeed/zero2.json")
        one, two = weights(tmp_path / "one"), weights(tmp_path / "two")
        for name in one:
            torch.testing.assert_close(two[name], one[name], atol=1e-4, rtol=0)

    def test_only_the_first_touches_the_state(self, tmp_path, monkeypatch):
        with resumable(tmp_path / "state", {"a": 1}) as state:
            monkeypatch.setenv("RANK", "1")
            with resumable(tmp_path / "state", {"a": 1}) as same:
                assert same == state
            assert (state / "fingerprint").is_file()
            monkeypatch.delenv("RANK")
