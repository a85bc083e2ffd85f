import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from huggingface_hub import HfApi
from transformers import GenerationConfig

from kg.linking.mention import Candidate, Mention
from kg.shared.errors import InputError
from meg import MEG
from meg.ask import AskCommand, report
from meg.config import PromptConfig
from meg.datasets.question import Question
from meg.model.checkpoint import build, save
from meg.model.record import Record
from meg.model.trained import Calibration, Trained
from meg.prompts.tokens import Tokens
from meg.prompts.vectors import Vectors

VERDICT = PromptConfig(answer="yesno", list_options=False)
ABSENT = {
    *("peft", "bitsandbytes", "datasets", "pandas", "matplotlib", "snakemake", "sklearn"),
    *("transformers.trainer", "tensorboard", "meg.training", "meg.report"),
}
"""What asking never imports."""
HEAVY = ABSENT | {
    "transformers.modeling_utils",
    "torch._dynamo",
    "torch.distributed.tensor",
    "scipy",
}
"""Nor the import of MEG alone; transformers brings some of it when it loads an LLM."""
QUESTION = "Is ataxia a finding in Marfan syndrome?"


@pytest.fixture
def model(model_config, graph):
    torch.manual_seed(0)
    return MEG.from_base(model_config.base, graph / "sage" / "embeddings.h5", model_config)


class TestAsk:
    def test_says_which_concepts_it_used(self, model):
        answer = model.ask(QUESTION, max_new_tokens=4)
        assert [(used.cui, used.words) for used in answer.concepts] == [
            ("C01", "ataxia"),
            ("C02", "Marfan syndrome"),
        ]
        assert str(answer) == answer.text

    def test_says_what_has_no_vector(self, model, graph, caplog):
        model.vectors = Vectors(None)
        assert model.ask(QUESTION, ["yes", "no"]).concepts == ()
        assert "2 of 2 mentions name a concept without a vector" in caplog.text
        assert "(first C01)" in caplog.text

    def test_chooses_among_options_as_they_are_scored(self, model):
        options = ["yes", "no", "maybe"]
        answer = model.ask(QUESTION, options)
        assert answer.scores == model.score_options(QUESTION, options)
        assert answer.text == options[int(np.argmax(answer.scores))]
        assert {used.cui for used in answer.concepts} == {"C01", "C02"}

    def test_works_with_injection_at_the_last_layer(self, model_config, graph, tmp_path):
        torch.manual_seed(0)
        last = model_config.model_copy(update={"injection": "last"})
        made = MEG.from_base(last.base, graph / "sage" / "embeddings.h5", last)
        scores = made.score_options(QUESTION, ["yes", "no"])
        made.save_pretrained(tmp_path / "m")
        again = MEG.from_pretrained(tmp_path / "m")
        assert again.score_options(QUESTION, ["yes", "no"]) == pytest.approx(scores, abs=2e-4)
        made.vectors = Vectors(made.vectors.store, "permuted")
        assert made.score_options(QUESTION, ["yes", "no"]) != scores

    def test_of_a_text_only_model_injects_nothing(self, model):
        model.record = model.record.model_copy(update={"prompt": PromptConfig(concepts="none")})
        assert model.ask(QUESTION, max_new_tokens=2).concepts == ()

    def test_generates_a_batch(self, model):
        written = model.generate(**model.prepare([QUESTION, "Why?"]), max_new_tokens=3)
        assert len(written) == 2

    @pytest.mark.parametrize(
        "ask",
        [
            lambda model, text: model.ask(text),
            lambda model, text: model.ask(text, ["yes", "no"]),
            lambda model, text: model.prepare(["Why?", text]),
            lambda model, text: model.score_options(text, ["yes", "no"]),
        ],
    )
    def test_refuses_what_the_llm_cannot_read(self, model, ask):
        """It reads 512 tokens, here bytes."""
        with pytest.raises(InputError, match="and the LLM reads 512"):
            ask(model, "word " * 110)

    @pytest.mark.parametrize("options", [[], ["yes", "no"]])
    def test_says_when_a_question_is_longer_than_in_training(self, model, caplog, options):
        model.record = model.record.model_copy(update={"prompt": PromptConfig(max_tokens=200)})
        model.ask("word " * 30, options, max_new_tokens=2)
        assert "longer than prompt.max_tokens" not in caplog.text
        model.ask("word " * 40, options, max_new_tokens=2)
        assert "1 of 1 questions are longer than prompt.max_tokens 200" in caplog.text

    def test_takes_inputs_of_any_device(self, model):
        """`prepare` makes them on the CPU, wherever the model is."""
        batch = {name: _Elsewhere(value) for name, value in model.prepare([QUESTION]).items()}
        assert model.generate(**batch, max_new_tokens=3).shape == (1, 3)

    def test_works_in_half_precision(self, model):
        """The mapper stays float32."""
        model.network.llm.bfloat16()
        assert model.generate(**model.prepare([QUESTION]), max_new_tokens=3).shape == (1, 3)

    def test_is_greedy_unless_told_otherwise(self, model):
        def written(**options):
            torch.manual_seed(0)
            return model.generate(**model.prepare([QUESTION]), max_new_tokens=12, **options)

        sampled = GenerationConfig(do_sample=True, temperature=9.0, max_new_tokens=12)
        assert torch.equal(written(), written())
        assert not torch.equal(written(), written(generation_config=sampled))

    def test_of_a_model_trained_with_parents_does_without_and_says_so(
        self, model, tmp_path, caplog
    ):
        model.record = model.record.model_copy(update={"prompt": PromptConfig(parents=2)})
        model.save_pretrained(tmp_path / "m")
        assert MEG.from_pretrained(tmp_path / "m").ask(QUESTION, ["yes", "no"]).concepts
        assert "trained with 2 parents" in caplog.text

    @pytest.mark.parametrize(
        ("text", "options"), [("", ["a", "b"]), (" ", ["b"]), ("a", ["b", ""])]
    )
    def test_of_no_question_is_an_error(self, model, text, options):
        with pytest.raises(InputError, match="give a text and one option or more"):
            model.ask(text, options)

    @pytest.mark.parametrize("texts", [[], [""], ["Why?", " "]])
    def test_without_a_text_is_an_error(self, model, texts):
        with pytest.raises(InputError, match="no text; give at least one question"):
            model.prepare(texts)

    def test_of_an_empty_text_is_an_error(self, model):
        with pytest.raises(InputError, match="no text; give at least one question"):
            model.ask("")

    @pytest.mark.parametrize("ask", ["ask", "score_options"])
    def test_takes_no_text_for_a_list(self, model, ask):
        with pytest.raises(InputError, match="options is one text, 'Ataxia'; give a list"):
            getattr(model, ask)(QUESTION, "Ataxia")
        with pytest.raises(InputError, match="texts is one text"):
            model.prepare(QUESTION)

    def test_does_not_inject_a_link_of_no_score(self, model):
        candidates = (Candidate("C01", 0.5), Candidate("C02", 0.004))
        weak = [Mention(3, 9, candidates[1:]), Mention(23, 38, candidates)]
        model.linker = SimpleNamespace(link=lambda *_: weak)
        assert model.link(QUESTION) == [Mention(23, 38, candidates[:1])]


class TestVerdict:
    """Models that learned to judge options."""

    @pytest.fixture
    def judge(self, model, monkeypatch):
        """The tests' tokenizer begins Yes and No with the same byte, a space."""
        monkeypatch.setattr(Tokens, "verdicts", (ord("Y"), ord("N")))
        model.record = model.record.model_copy(update={"prompt": VERDICT})
        return model

    def trained(self, judge, **more):
        questions = [
            Question(id=id, stem=f"Which of these {id}?", options=("a", "b"), answer=0)
            for id in ("is a gene", "is a sign")
        ]
        update = {"trained": Trained.on(questions, "listwise", None).model_copy(update=more)}
        judge.record = judge.record.model_copy(update=update)

    def test_writes_nothing(self, judge):
        for write in (judge.ask, lambda text: judge.prepare([text])):
            with pytest.raises(InputError, match="writes no answers; give options"):
                write(QUESTION)

    def test_of_one_option_is_the_calibrated_probability(self, judge, tmp_path):
        calibration = Calibration(slope=2.0, intercept=-1.0, claims=60)
        self.trained(judge, calibration=calibration)
        judge.save_pretrained(tmp_path / "m")
        again = MEG.from_pretrained(tmp_path / "m")
        answer = again.ask(QUESTION, ["Ataxia"])
        [score] = answer.scores
        assert score == again.score_options(QUESTION, ["Ataxia", "Deafness"])[0]
        assert answer.probability == pytest.approx(1 / (1 + np.exp(1 - 2 * score)))
        assert answer.text == ("yes" if answer.probability >= 0.5 else "no")
        assert f"{answer.probability:8.3f}  probability" in report(answer, ["Ataxia"])

    def test_without_calibration_no_probability_is_shown(self, judge, caplog):
        answer = judge.ask(QUESTION, ["Ataxia"])
        assert answer.probability is None
        assert "holds no calibration" in caplog.text
        assert "probability" not in report(answer, ["Ataxia"])

    def test_one_option_is_not_judged_by_a_model_that_compares(self, model):
        with pytest.raises(InputError, match=r"compares options \(prompt.answer letter\)"):
            model.ask(QUESTION, ["Ataxia"])

    def test_says_when_it_is_asked_otherwise_than_trained(self, judge, caplog):
        self.trained(judge)
        judge.ask("Which of these is a finding?", ["a", "b"])
        assert "asked otherwise" not in caplog.text
        judge.ask(QUESTION, ["yes", "no"])
        assert "on questions in other words, such as 'Which of these is a gene?'" in caplog.text


class _Elsewhere:
    """A tensor that is of use only where it is moved to."""

    def __init__(self, tensor):
        self.to = tensor.to


class TestSaved:
    def test_answers_as_before(self, model, tmp_path):
        model.save_pretrained(tmp_path / "m")
        again = MEG.from_pretrained(tmp_path / "m")
        expected = model.score_options(QUESTION, ["yes", "no"])
        assert again.score_options(QUESTION, ["yes", "no"]) == pytest.approx(expected, abs=2e-4)

    def test_without_store_or_linker_says_which_flag(self, model, tmp_path, graph):
        gone = {"store_path": str(tmp_path / "gone" / "sage" / "x.h5")}
        model.record = model.record.model_copy(update=gone)
        model.save_pretrained(tmp_path / "m")
        with pytest.raises(InputError, match=r"x\.h5; give --store"):
            MEG.from_pretrained(tmp_path / "m").ask(QUESTION)
        store = graph / "sage" / "embeddings.h5"
        half = MEG.from_pretrained(tmp_path / "m", store=store)
        assert half.linker is not None  # beside the given store
        with pytest.raises(InputError, match="does not exist"):
            MEG.from_pretrained(tmp_path / "m", store=tmp_path / "none.h5")

    def test_another_store_is_refused(self, model, tmp_path, store):
        model.save_pretrained(tmp_path / "m")
        with pytest.raises(InputError, match="other vectors than"):
            MEG.from_pretrained(tmp_path / "m", store=store.path)

    def test_made_without_a_store_needs_none(self, model_config, tmp_path, store):
        network, _ = build(model_config, Vectors(None).dim)
        prompt = PromptConfig(concepts="none")
        record = Record(model=model_config, kge=1, store="", prompt=prompt)
        save(tmp_path / "m", network, record)
        assert MEG.from_pretrained(tmp_path / "m").ask(QUESTION, ["yes", "no"]).concepts == ()
        with pytest.raises(InputError, match="omit --store"):
            MEG.from_pretrained(tmp_path / "m", store=store.path)

    def test_no_checkpoint_is_an_error(self, tmp_path):
        with pytest.raises(InputError, match="not a MEG checkpoint"):
            MEG.from_pretrained(tmp_path / "nowhere")


class FakeHub:
    def __init__(self):
        self.files = {}

    def create_repo(self, name, private, exist_ok):
        self.name = name

    def upload_folder(self, repo_id, folder_path):
        self.files = {p.name: p.read_bytes() for p in folder_path.rglob("*") if p.is_file()}
        return f"https://huggingface.co/{repo_id}"


class TestPushed:
    def test_is_the_checkpoint_without_paths(self, model):
        hub = FakeHub()
        assert model.push_to_hub("me/meg", api=hub).endswith("me/meg")
        assert {"meg.json", "mapper.safetensors", "adapter_model.safetensors"} <= set(hub.files)
        assert b"embeddings.h5" not in hub.files["meg.json"]

    def test_without_network_is_an_error_that_says_how_to_go_on(self, model):
        nobody = HfApi(endpoint="http://127.0.0.1:9", token="t")
        with pytest.raises(InputError, match=r"me/meg on the hub .*network.*hf upload me/meg"):
            model.push_to_hub("me/meg", api=nobody)


class TestCommand:
    def test_prints_answer_and_concepts(self, model, tmp_path, capsys):
        model.save_pretrained(tmp_path / "m")
        AskCommand(checkpoint=str(tmp_path / "m"), option=["yes", "no"], question=QUESTION).run()
        shown = capsys.readouterr().out
        assert shown.splitlines()[0] in {"yes", "no"}
        assert "C02  Marfan syndrome" in shown


class TestImport:
    def test_of_a_configuration_needs_no_torch(self):
        code = "import meg.config, sys; sys.exit('torch' in sys.modules)"
        subprocess.run([sys.executable, "-c", code], check=True)

    def test_brings_what_asking_needs_and_no_more(self, model, tmp_path):
        """Seconds each: PEFT with all that it knows, the Trainer, tables, figures."""
        model.save_pretrained(tmp_path / "m")
        code = f"""
import sys
from meg import MEG
at_import = {HEAVY!r} & set(sys.modules)
model = MEG.from_pretrained({str(tmp_path / "m")!r})
model.ask({QUESTION!r}, ["yes", "no"])
model.ask({QUESTION!r}, max_new_tokens=2)
sys.exit(", ".join(sorted(at_import | {ABSENT!r} & set(sys.modules))) or None)
"""
        subprocess.run([sys.executable, "-c", code], check=True)
