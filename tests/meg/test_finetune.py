"""The command of Phase II: what it starts from, and what it says it made."""

import pytest

from kg.shared.command import main
from kg.shared.errors import InputError
from meg.config import (
    After,
    FinetuneConfig,
    LoraSettings,
    ModelConfig,
    PromptConfig,
    TrainingConfig,
)
from meg.datasets.question import Question, write_questions
from meg.finetune import FinetuneCommand
from meg.model.checkpoint import build, save
from meg.model.record import Record, read_record
from meg.model.trained import Calibration
from meg.prompts.tokens import Tokens

CONFIG = FinetuneConfig(training=TrainingConfig(epochs=1, batch_size=2, report_to=[]))


@pytest.fixture
def phase_1(model_config, store, tmp_path):
    model = model_config.model_copy(update={"system": "Be brief.", "injection": "last"})
    network, _ = build(model, store.dim)
    save(tmp_path / "phase_1", network, Record(model=model, kge=store.dim, store=store.space))
    return tmp_path / "phase_1"


@pytest.fixture
def arguments(store, tmp_path):
    questions = [Question(id=q, stem="Which?", options=("a", "b"), answer=1) for q in "qr"]
    write_questions(tmp_path / "train.jsonl", questions)
    return {
        "questions": tmp_path / "train.jsonl",
        "store": store.path,
        "config": CONFIG,
        "state": tmp_path / "state",
        "out": tmp_path / "out",
    }


class TestRecord:
    def test_is_of_the_model_that_phase_1_made(self, phase_1, arguments):
        FinetuneCommand(**arguments, align=phase_1).run()
        found, made = read_record(arguments["out"]), read_record(phase_1)
        assert found.model == made.model
        assert found.prompt == CONFIG.prompt

    def test_says_on_which_questions(self, phase_1, arguments, tmp_path, monkeypatch):
        monkeypatch.setattr(Tokens, "verdicts", (ord("Y"), ord("N")))
        found = Calibration(slope=1, intercept=0, claims=2)
        monkeypatch.setattr("meg.finetune.calibrate", lambda *_: found)
        prompt = PromptConfig(answer="yesno", list_options=False)
        config = CONFIG.model_copy(update={"prompt": prompt, "objective": "listwise"})
        dev = {"config": config, "dev": arguments["questions"]}
        FinetuneCommand(**arguments | dev, align=phase_1).run()
        trained = read_record(arguments["out"]).trained
        assert trained.objective == "listwise"
        assert trained.examples == ("Which?",)
        assert trained.labels == ("a", "b")
        assert trained.calibration == found

    @pytest.mark.parametrize("model", [None, ModelConfig(base="gone.gguf", dtype="float32")])
    def test_names_the_base_that_was_given(self, phase_1, arguments, model_config, tmp_path, model):
        (tmp_path / "moved").symlink_to(model_config.base)
        moved = str(tmp_path / "moved")
        FinetuneCommand(**arguments, align=phase_1, base=moved, model=model).run()
        assert read_record(arguments["out"]).model.base == str(tmp_path / "moved")

    @pytest.mark.parametrize("more", [[], ["--model.dtype", "float32"]])
    def test_needs_no_model_on_the_command_line(self, phase_1, arguments, more):
        config = arguments.pop("config").model_dump_json()
        flags = [part for name, path in arguments.items() for part in (f"--{name}", str(path))]
        main(FinetuneCommand, [*flags, "--align", str(phase_1), "--config", config, *more])
        assert read_record(arguments["out"]).model == read_record(phase_1).model


class TestAfter:
    """A Phase II that starts from an easier one's model."""

    EASY = After(dataset="quiz")

    def test_starts_from_a_text_only_model(self, phase_1, arguments, model_config, tmp_path):
        plain = {"start": "base", "prompt": PromptConfig(concepts="none")}
        first = CONFIG.model_copy(update=plain)
        rest = {name: value for name, value in arguments.items() if name != "store"}
        easy = tmp_path / "easy"
        FinetuneCommand(**rest | {"config": first, "out": easy}, model=model_config).run()
        config = first.model_copy(update={"after": self.EASY})
        FinetuneCommand(**rest | {"config": config}, align=easy).run()
        assert read_record(arguments["out"]).store == ""
        with pytest.raises(InputError, match="the checkpoint is a text-only one"):
            FinetuneCommand(
                **arguments | {"config": config, "out": tmp_path / "other"}, align=easy
            ).run()

    def test_starts_from_one_with_vectors(self, phase_1, arguments, tmp_path):
        easy = tmp_path / "easy"
        FinetuneCommand(**arguments | {"out": easy}, align=phase_1).run()
        config = CONFIG.model_copy(update={"after": self.EASY})
        FinetuneCommand(**arguments | {"config": config}, align=easy).run()
        assert read_record(arguments["out"]).store == read_record(easy).store

    def test_needs_that_model(self, arguments):
        config = CONFIG.model_copy(update={"start": "base", "after": self.EASY})
        with pytest.raises(InputError, match=r"config\.after dataset='quiz'.*--align None"):
            FinetuneCommand(**arguments | {"config": config}).run()


class TestRefuses:
    @pytest.mark.parametrize("ids", ["", "qq"])
    def test_no_questions_and_one_that_stands_twice(self, phase_1, arguments, ids):
        each = [Question(id=q, stem="Which?", options=("a", "b"), answer=1) for q in ids]
        write_questions(arguments["questions"], each)
        with pytest.raises(InputError, match=r"has no questions|line 2: the id q stands twice"):
            FinetuneCommand(**arguments, align=phase_1).run()

    def test_to_write_where_something_else_is(self, phase_1, arguments):
        arguments["out"].mkdir()
        (arguments["out"] / "thesis.tex").touch()
        with pytest.raises(InputError, match=r"1 files of no checkpoint \(first thesis\.tex\)"):
            FinetuneCommand(**arguments, align=phase_1).run()
        assert not arguments["state"].exists()

    def test_another_model_than_phase_1_made(self, phase_1, arguments, model_config):
        other = model_config.model_copy(update={"lora": LoraSettings(r=3), "system": "Think."})
        with pytest.raises(InputError, match="has another lora, system than"):
            FinetuneCommand(**arguments, align=phase_1, model=other).run()
        assert not arguments["out"].exists()

    def test_to_start_from_a_phase_1_that_is_not_given(self, arguments):
        with pytest.raises(InputError, match=r"start is align, config\.after None"):
            FinetuneCommand(**arguments).run()

    def test_a_phase_1_that_it_would_not_start_from(self, phase_1, arguments):
        config = CONFIG.model_copy(update={"start": "base"})
        with pytest.raises(InputError, match=r"set config\.start to base, config\.after to null"):
            FinetuneCommand(**arguments | {"config": config}, align=phase_1).run()
