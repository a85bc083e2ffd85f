"""Several processes that train together, as torchrun starts them, over gloo on the CPU."""

import json
from pathlib import Path

import polars as pl
import pytest
import torch
from safetensors.torch import load_file

from kg.graph.tables import CONCEPTS, write_concepts
from kg.linking.mention import Candidate, Mention
from kg.shared.resume import resumable
from meg.align import AlignCommand
from meg.config import AlignConfig, FinetuneConfig, PromptConfig, TrainingConfig
from meg.datasets.question import Mentions, Question, read_questions, write_questions
from meg.finetune import FinetuneCommand
from tests.torchrun import flags, launch

pytestmark = pytest.mark.slow

TRAINING = TrainingConfig(
    epochs=2, learning_rate=1e-2, batch_size=4, micro_batch_size=1, report_to=[], save_every=1
)
CONFIG = FinetuneConfig(
    training=TRAINING,
    start="base",
    objective="listwise",
    train_mapper=True,
    prompt=PromptConfig(answer="text", list_options=False),
)


DEEPSPEED = Path("config/deepspeed")
COMPILED = {"compile": True, "gradient_checkpointing": True}
"""As `mistral` of config/published.yaml has it."""


def parted(folder):
    """ZeRO-3 that parts small parameters too, as those of a real LLM are large."""
    config = json.loads((DEEPSPEED / "zero3.json").read_text())
    config["zero_optimization"]["stage3_param_persistence_threshold"] = 0
    (folder / "zero3.json").write_text(json.dumps(config))
    return str(folder / "zero3.json")


def weights(folder):
    found = load_file(folder / "adapter" / "adapter_model.safetensors")
    return found | load_file(folder / "mapper.safetensors")


@pytest.fixture
def command(model_config, store, tmp_path):
    questions = [
        Question(id=f"q{i}", stem=f"Which? {i}", options=("a", "b" * i), answer=i % 2)
        for i in range(1, 9)
    ]
    # One process gets a concept, the other none.
    mention = Mention(start=0, end=5, candidates=(Candidate(cui="C01", score=1),))
    questions[0] = questions[0].model_copy(
        update={"mentions": Mentions(stem=(mention,), options=((), ()))}
    )
    write_questions(tmp_path / "train.jsonl", questions)
    return FinetuneCommand(
        questions=tmp_path / "train.jsonl",
        store=store.path,
        model=model_config,
        config=CONFIG,
        state=tmp_path / "state",
        out=tmp_path / "one",
    )


def changed(command, out, training=(), **config):
    """The same command with another training; its checkpoint is written to `out`."""
    updated = command.config.training.model_copy(update=dict(training))
    settings = command.config.model_copy(update={"training": updated, **config})
    state = out.with_suffix(".state") / "preempted"
    return command.model_copy(update={"config": settings, "state": state, "out": out})


def assert_like(out, expected, tolerance):
    found, one = weights(out), weights(expected)
    assert found.keys() == one.keys()
    for name in one:
        torch.testing.assert_close(found[name], one[name], atol=tolerance, rtol=0)


@pytest.fixture
def phase_1(model_config, store, tmp_path):
    rows = [(cui.decode(), f"name {i}", [], [], None) for i, cui in enumerate(store.cuis)]
    concepts = pl.DataFrame(rows, schema=CONCEPTS, orient="row")
    write_concepts(tmp_path / "concepts.parquet", concepts)
    return AlignCommand(
        concepts=tmp_path / "concepts.parquet",
        store=store.path,
        model=model_config,
        config=AlignConfig(training=TRAINING, concepts=16, mapper_steps=2, contrastive=False),
        state=tmp_path / "state",
        out=tmp_path / "one",
    )


@pytest.mark.parametrize("phase", ["phase_1", "command"])
def test_a_state_is_of_one_configuration(request, monkeypatch, phase):
    """Else a killed training would go on with another one's checkpoints."""
    command = request.getfixturevalue(phase)
    seen = []

    def stop(path, identity):
        seen.append(json.dumps(identity, sort_keys=True, default=str))
        raise KeyboardInterrupt

    monkeypatch.setattr(f"{type(command).__module__}.resumable", stop)
    for one in (command, changed(command, command.out, {"learning_rate": 0.5}), command):
        with pytest.raises(KeyboardInterrupt):
            one.run()
    assert seen[0] == seen[2] != seen[1]
    if phase == "command":
        questions = list(read_questions(command.questions))
        write_questions(command.questions, questions[1:])
        with pytest.raises(KeyboardInterrupt):
            command.run()
        assert seen[3] != seen[0]


class TestTwoProcesses:
    def test_end_like_one_that_accumulates(self, command, tmp_path):
        """After four steps of Adam in float32; the order of the sums differs."""
        command.run()
        launch("meg.finetune", *flags(changed(command, tmp_path / "two")))
        assert_like(tmp_path / "two", tmp_path / "one", 1e-5)
        assert not list(tmp_path.glob("*.state/*"))

    def test_end_so_in_phase_1_too(self, phase_1, tmp_path):
        """But for NT-Xent, whose negatives are the concepts that a process holds at once."""
        phase_1.run()
        launch("meg.align", *flags(phase_1.model_copy(update={"out": tmp_path / "two"})))
        assert_like(tmp_path / "two", tmp_path / "one", 1e-5)

    def test_end_so_with_the_negatives_of_both(self, phase_1, tmp_path):
        """Which are those of one process that holds as many; prompts of one and of two names."""
        gather = {"contrastive": True, "cosine": False, "gather": True, "names_per_prompt": 2}
        phase_1 = changed(phase_1, tmp_path / "one", {"micro_batch_size": 2}, **gather)
        phase_1.run()
        two = changed(phase_1, tmp_path / "two", {"micro_batch_size": 1})
        launch("meg.align", *flags(two))
        assert_like(tmp_path / "two", tmp_path / "one", 1e-5)

    def test_end_so_when_preempted_and_by_deepspeed_and_fsdp_too(self, command, tmp_path):
        """Continued in the middle of the second epoch; checkpoints hold what is trained only."""
        command.run()
        frozen = changed(command, tmp_path / "frozen", train_mapper=False)
        frozen.run()
        prompt = CONFIG.prompt.model_copy(update={"concepts": "none"})
        text_only = changed(command, tmp_path / "text_only", prompt=prompt)
        text_only = text_only.model_copy(update={"store": None})
        text_only.run()
        runs = [
            changed(command, tmp_path / "plain"),
            changed(command, tmp_path / "zero2", {"deepspeed": str(DEEPSPEED / "zero2.json")}),
            changed(
                command,
                tmp_path / "offload",
                {"deepspeed": str(DEEPSPEED / "zero2_offload.json"), **COMPILED},
            ),
            changed(command, tmp_path / "zero3", {"deepspeed": parted(tmp_path)}),
            changed(command, tmp_path / "fsdp", {"fsdp": True}),
            changed(frozen, tmp_path / "zero3_frozen", {"deepspeed": parted(tmp_path)}),
            changed(text_only, tmp_path / "zero3_text_only", {"deepspeed": parted(tmp_path)}),
            changed(frozen, tmp_path / "fsdp_frozen", {"fsdp": True}),
        ]
        (tmp_path / "runs").write_text("\n".join(run.model_dump_json() for run in runs))
        launch("tests.meg.parted_runs", tmp_path / "runs")
        for run in runs[:5]:
            assert_like(run.out, tmp_path / "one", 1e-5)
        assert_like(runs[5].out, tmp_path / "frozen", 1e-5)
        assert_like(runs[6].out, tmp_path / "text_only", 1e-5)
        assert_like(runs[7].out, tmp_path / "frozen", 1e-5)

    def test_only_the_first_touches_the_state(self, tmp_path, monkeypatch):
        with resumable(tmp_path / "state", {"a": 1}) as state:
            monkeypatch.setenv("RANK", "1")
            with resumable(tmp_path / "state", {"a": 1}) as same:
                assert same == state
            assert (state / "fingerprint").is_file()
            monkeypatch.delenv("RANK")
