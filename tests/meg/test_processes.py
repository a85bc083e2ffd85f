"""Several processes that train together, as torchrun starts them, over gloo on the CPU."""

import subprocess
import sys

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


class TestTwoProcesses:
    def test_end_like_one_that_accumulates(self, command, tmp_path):
        """Worst difference seen 1e-7 after two steps; the order of the sums differs."""
        command.run()
        arguments = [f"--{name}={getattr(command, name)}" for name in ("questions", "store")]
        arguments += [
            f"--{name}={getattr(command, name).model_dump_json()}" for name in ("model", "config")
        ]
        launch = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node=2"]
        launch += ["--standalone", "-m", "meg.finetune", *arguments]
        launch += [f"--state={tmp_path / 'state2'}", f"--out={tmp_path / 'two'}"]
        ended = subprocess.run(launch, capture_output=True, text=True, check=False, timeout=300)
        assert ended.returncode == 0, ended.stderr[-3000:]
        one, two = weights(tmp_path / "one"), weights(tmp_path / "two")
        for name in one:
            torch.testing.assert_close(two[name], one[name], atol=1e-5, rtol=0)
        assert not (tmp_path / "state2").exists()

    def test_only_the_first_touches_the_state(self, tmp_path, monkeypatch):
        with resumable(tmp_path / "state", {"a": 1}) as state:
            monkeypatch.setenv("RANK", "1")
            with resumable(tmp_path / "state", {"a": 1}) as same:
                assert same == state
            assert (state / "fingerprint").is_file()
            monkeypatch.delenv("RANK")
