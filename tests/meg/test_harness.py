"""The harness's own model of transformers is the peer: without concepts ours must do the same."""

import json
import string
from types import SimpleNamespace

import numpy as np
import pytest
import torch

pytest.importorskip("lm_eval", reason="lm-eval is not installed: pip install '.[harness]'")

from lm_eval.evaluator import simple_evaluate
from lm_eval.models.huggingface import HFLM
from lm_eval.tasks import TaskManager

from kg.shared.errors import InputError
from meg import MEG
from meg.config import LoraSettings, MapperConfig, ModelConfig, PredictConfig, PromptConfig
from meg.datasets.question import Mentions, Question
from meg.harness import HarnessModel
from meg.inference.answer import predict
from meg.prompts.tokens import Tokens

STEM = "Is ataxia a finding in Marfan syndrome?"
OPTIONS = ("yes", "no", "maybe")
TASK = """
task: tiny_quiz
dataset_path: json
dataset_kwargs:
  data_files:
    test: {path}
output_type: multiple_choice
test_split: test
doc_to_text: "{{{{stem}}}}\\nAnswer:"
doc_to_choice: ["yes", "no", "maybe"]
doc_to_target: "{{{{answer}}}}"
metric_list:
  - metric: acc
"""


def requests(*arguments):
    """What the harness hands over, as far as a model looks at it."""
    return [SimpleNamespace(args=one) for one in arguments]


@pytest.fixture(scope="module")
def checkpoint(base, graph, tmp_path_factory):
    """A saved model whose adapters do nothing yet."""
    config = ModelConfig(
        dtype="float32",
        lora=LoraSettings(r=2, alpha=4, dropout=0.0),
        mapper=MapperConfig(kind="linear"),
    )
    torch.manual_seed(0)
    model = MEG.from_base(base, graph / "sage" / "embeddings.h5", config)
    folder = tmp_path_factory.mktemp("checkpoint") / "m"
    model.save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="module")
def text_only(checkpoint):
    return HarnessModel(checkpoint, text_only=True, batch_size=2)


@pytest.fixture(scope="module")
def with_concepts(checkpoint):
    return HarnessModel(checkpoint, batch_size="2")


@pytest.fixture(scope="module")
def peer(base):
    return HFLM(pretrained=base, device="cpu", batch_size=2, dtype="float32")


class TestTextOnly:
    def test_likelihoods_are_those_of_the_base_llm(self, text_only, peer):
        asked = requests(
            (STEM, " yes"),
            (STEM, " no"),
            ("A context that ends in spaces  ", "no"),
            ("", "nothing before it"),
            ("", "<|end|>its own start"),
            ("Only white space ", ""),
            (STEM, " maybe, and more than one word"),
        )
        expected = peer.loglikelihood(asked, disable_tqdm=True)
        found = text_only.loglikelihood(asked, disable_tqdm=True)
        assert np.allclose([x for x, _ in found], [x for x, _ in expected], atol=1e-3)
        assert [greedy for _, greedy in found] == [greedy for _, greedy in expected]

    @pytest.mark.parametrize("asked", [(STEM, ""), ("", ""), ("", "<|end|>")])
    def test_no_continuation_is_an_error_as_there(self, text_only, peer, asked):
        with pytest.raises((AssertionError, IndexError)):
            peer.loglikelihood(requests(asked, (STEM, " yes")), disable_tqdm=True)
        with pytest.raises(ValueError, match="is empty, which has no likelihood"):
            text_only.loglikelihood(requests(asked, (STEM, " yes")), disable_tqdm=True)

    def test_what_the_llm_would_write_is_greedy(self, text_only, peer):
        asked = requests(*((STEM[:end], x) for end in range(1, 30) for x in string.printable[:94]))
        greedy = [flag for _, flag in text_only.loglikelihood(asked, disable_tqdm=True)]
        assert greedy == [flag for _, flag in peer.loglikelihood(asked, disable_tqdm=True)]
        assert any(greedy)

    def test_rolling_likelihoods_are_those_of_the_base_llm(self, text_only, peer):
        asked = requests((STEM,), ("Two words.",))
        expected = peer.loglikelihood_rolling(asked, disable_tqdm=True)
        assert np.allclose(text_only.loglikelihood_rolling(asked, True), expected, atol=1e-3)

    def test_a_text_longer_than_the_llm_takes_is_scored_in_windows(self, text_only):
        [whole] = text_only.loglikelihood_rolling(requests(("ab " * 300,)), True)
        [half] = text_only.loglikelihood_rolling(requests(("ab " * 150,)), True)
        assert whole < half < 0

    def test_texts_are_those_of_the_base_llm(self, text_only, peer):
        free = {"until": [], "max_gen_toks": 12}
        whole = peer.generate_until(requests((STEM, free), ("Why?", free)), disable_tqdm=True)
        stop = {"until": [whole[0][4]], "max_gen_toks": 12}
        asked = requests((STEM, stop), (STEM, free), ("Why?", free))
        expected = [whole[0].split(whole[0][4])[0], *whole]
        assert text_only.generate_until(asked, disable_tqdm=True) == expected


class TestConcepts:
    def test_likelihoods_are_those_of_our_own_scoring(self, with_concepts):
        model = with_concepts.model
        model.tokens.tokenizer.chat_template = None
        linked = model.link(STEM)
        question = Question(
            id="q",
            stem=STEM,
            options=OPTIONS,
            answer=0,
            mentions=Mentions(stem=tuple(linked), options=((), (), ())),
        )
        listed = "\n".join([STEM, *(f"{a}. {b}" for a, b in zip("ABC", OPTIONS, strict=True))])
        [row] = predict(model.reader, [question], PromptConfig(), PredictConfig())
        assert row.concepts == ("C01", "C02")
        found = with_concepts.loglikelihood(
            requests(*((f"{listed}\nAnswer:", f" {letter}") for letter in "ABC")), True
        )
        # A byte a token: a space and a letter.
        assert [total / 2 for total, _ in found] == pytest.approx(row.scores, abs=1e-3)

    def test_change_likelihoods_and_texts(self, with_concepts, text_only):
        asked = requests((STEM, " yes"), ("Nothing medical here", " yes"))
        ours = with_concepts.loglikelihood(asked, True)
        plain = text_only.loglikelihood(asked, True)
        assert abs(ours[0][0] - plain[0][0]) > 1e-2
        assert ours[1][0] == pytest.approx(plain[1][0], abs=1e-3)
        write = requests((STEM, {"until": [], "max_gen_toks": 12}))
        assert with_concepts.generate_until(write, True) != text_only.generate_until(write, True)

    def test_batches_and_order_do_not_matter(self, with_concepts, checkpoint):
        asked = requests((STEM, " a"), ("Ataxia", " b"), (STEM, " cc"), ("Why", " d"))
        alone = HarnessModel(checkpoint).loglikelihood(asked[::-1], True)[::-1]
        together = with_concepts.loglikelihood(asked, True)
        assert np.allclose([x for x, _ in alone], [x for x, _ in together], atol=1e-3)

    def test_of_a_cut_context_go_with_it(self, with_concepts, caplog):
        asked = requests((STEM + " word" * 200 + " ataxia?", " yes"))
        [(likelihood, _)] = with_concepts.loglikelihood(asked, True)
        assert np.isfinite(likelihood)
        assert "was cut to" in caplog.text

    def test_wrong_batch_size(self, checkpoint):
        with pytest.raises(ValueError, match="--batch_size auto: MEG needs a number"):
            HarnessModel(checkpoint, batch_size="auto")


class TestVerdict:
    @pytest.fixture
    def judge(self, with_concepts, monkeypatch):
        """The tests' tokenizer begins Yes and No with the same byte, a space."""
        verdicts = (ord("Y"), ord("N"))
        monkeypatch.setattr(Tokens, "verdicts", verdicts)
        monkeypatch.setattr(with_concepts, "verdicts", verdicts)
        prompt = PromptConfig(answer="yesno", list_options=False, concepts="question+options")
        record = with_concepts.model.record.model_copy(update={"prompt": prompt})
        monkeypatch.setattr(with_concepts.model, "record", record)
        monkeypatch.setattr(with_concepts.model.tokens.tokenizer, "chat_template", None)
        return with_concepts

    def test_is_that_of_our_own_scoring(self, judge):
        scores = judge.model.score_options(STEM, OPTIONS)
        found = judge.loglikelihood(
            requests(*((f"{STEM}\nAnswer:", f" {option}") for option in OPTIONS)), True
        )
        expected = -np.logaddexp(0, -np.array(scores))
        assert [x for x, _ in found] == pytest.approx(expected, abs=1e-3)
        assert [yes for _, yes in found] == [score > 0 for score in scores]

    def test_of_letters_is_refused(self, judge):
        with pytest.raises(ValueError, match="task asks for letters"):
            judge.loglikelihood(requests((STEM, " A"), (STEM, " B")), True)

    def test_writes_nothing(self, judge):
        with pytest.raises(InputError, match="writes no answers"):
            judge.generate_until(requests((STEM, {"until": []})), True)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_the_harness_own_default_device_needs_no_gpu(checkpoint):
    assert HarnessModel(checkpoint, device="cuda").device.type == "cpu"


class TestTask:
    @pytest.fixture
    def tasks(self, tmp_path, monkeypatch):
        """A folder with a task of two questions, read without the network."""
        monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
        rows = [{"stem": STEM, "answer": 1}, {"stem": "Ataxia?", "answer": 2}]
        path = tmp_path / "quiz.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        (tmp_path / "tiny_quiz.yaml").write_text(TASK.format(path=path))
        return tmp_path

    def test_by_its_name(self, tasks, checkpoint, with_concepts):
        result = simple_evaluate(
            model="meg",
            model_args=f"checkpoint={checkpoint}",
            tasks=["tiny_quiz"],
            task_manager=TaskManager(include_path=str(tasks), include_defaults=False),
            bootstrap_iters=0,
        )
        samples = result["samples"]["tiny_quiz"]
        asked = [(f"{row['doc']['stem']}\nAnswer:", f" {x}") for row in samples for x in OPTIONS]
        found = np.array([x for x, _ in with_concepts.loglikelihood(requests(*asked), True)])
        logged = [float(x) for row in samples for [(x, _)] in row["resps"]]
        assert np.allclose(found, logged, atol=1e-3)
        answers = [row["doc"]["answer"] for row in samples]
        right = np.mean(found.reshape(2, 3).argmax(1) == answers)
        assert result["results"]["tiny_quiz"]["acc,none"] == right
        assert result["config"]["meg"]["kge"] == 6
