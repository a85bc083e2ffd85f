from importlib.metadata import PackageNotFoundError

import pytest
import torch

from kg.command import main
from kg.errors import InputError
from meg.config import PredictConfig, PromptConfig
from meg.parse import chosen_option
from meg.predict import PredictCommand, predict
from meg.prediction import read_predictions, read_run
from meg.prompts import prompt_version
from meg.question import Question, write_questions
from meg.vectors import Vectors
from tests.meg.test_prompts import QUESTION

PROMPT = PromptConfig(answer="text", list_options=False)


def questions():
    others = [
        Question(id=f"q{i}", stem="Which? " * i, options=("a", "bb", "c" * i), answer=i % 3)
        for i in range(2, 9)
    ]
    known = QUESTION.model_dump() | {"id": "q1"}
    return [Question.model_validate(known), *others]


class TestPredictions:
    def test_come_in_the_order_of_the_questions(self, meg_and_tokens, store):
        found = predict(*meg_and_tokens, questions(), Vectors(store), PROMPT, PredictConfig())
        assert [row.id for row in found] == [question.id for question in questions()]
        assert [len(row.scores) for row in found] == [2, *[3] * 7]

    def test_do_not_depend_on_the_batch_size(self, meg_and_tokens, store):
        """Scores agree to 1e-4, as they are written."""
        both = [
            predict(
                *meg_and_tokens, questions(), Vectors(store), PROMPT, PredictConfig(batch_size=size)
            )
            for size in (1, 8)
        ]
        for one, eight in zip(*both, strict=True):
            assert one.prediction == eight.prediction
            differences = [abs(a - b) for a, b in zip(one.scores, eight.scores, strict=True)]
            assert max(differences) <= 2e-4

    def test_say_which_concepts_were_injected(self, meg_and_tokens, store):
        found = predict(*meg_and_tokens, questions(), Vectors(store), PROMPT, PredictConfig())
        assert all(not row.concepts for row in found)  # C1, C2 and C9 have no vector


class TestMethods:
    """Every way of answering, twice: the same both times."""

    @pytest.mark.parametrize("answer", ["letter", "text"])
    def test_likelihood_chooses_the_best_score(self, answer, meg_and_tokens, store):
        prompt = PromptConfig(answer=answer)
        first, again = (
            predict(*meg_and_tokens, questions(), Vectors(store), prompt, PredictConfig())
            for _ in range(2)
        )
        assert first == again
        assert all(row.prediction == row.scores.index(max(row.scores)) for row in first)

    def test_generation_is_parsed_strictly(self, meg_and_tokens, store):
        config = PredictConfig(method="generate")
        first, again = (
            predict(*meg_and_tokens, questions(), Vectors(store), PROMPT, config) for _ in range(2)
        )
        assert first == again
        # A random LLM writes nothing that could be read.
        assert [row.prediction for row in first] == [None] * 8
        assert all(row.text for row in first)
        assert not any(row.right for row in first)

    def test_what_was_written_is_what_is_parsed(self, meg_and_tokens, store, monkeypatch):
        written = ["(A).", "B or C", "c"]
        monkeypatch.setattr("meg.predict.write", lambda *_: written)
        asked = questions()[1:4]
        config = PredictConfig(method="generate")
        found = predict(*meg_and_tokens, asked, Vectors(store), PromptConfig(), config)
        by_text = [(row.text, row.prediction) for row in found]
        expected = [(x, chosen_option(x, "abc", PromptConfig())) for x in written]
        assert sorted(by_text) == sorted(expected)
        assert dict(by_text) == {"(A).": 0, "B or C": None, "c": 2}

    def test_yes_and_no_cannot_be_generated(self, meg_and_tokens, store):
        prompt, config = PromptConfig(answer="yesno"), PredictConfig(method="generate")
        with pytest.raises(InputError, match=r"set prompt\.answer to letter or text"):
            predict(*meg_and_tokens, questions(), Vectors(store), prompt, config)


def test_scores_that_are_no_numbers_are_an_error(meg_and_tokens, store):
    meg, tokens = meg_and_tokens
    torch.nn.init.constant_(meg.llm.get_output_embeddings().weight, torch.nan)
    with pytest.raises(
        InputError, match=r"scores of q\d and the 7 questions with it are no numbers"
    ):
        predict(meg, tokens, questions(), Vectors(store), PROMPT, PredictConfig())


class TestCommand:
    def test_writes_answers_and_circumstances(self, model_config, store, tmp_path):
        labels = ("yes", "no", "maybe")
        asked = [Question(id=f"q{i}", stem="Is it?", options=labels, answer=i) for i in range(3)]
        write_questions(tmp_path / "q.jsonl", asked)
        prompt = PromptConfig(instruction="Choose.")
        main(
            PredictCommand,
            [
                f"--questions={tmp_path}/q.jsonl",
                f"--store={store.path}",
                f"--model={model_config.model_dump_json()}",
                f"--prompt={prompt.model_dump_json()}",
                f"--out={tmp_path}/p.jsonl",
            ],
        )
        assert [row.id for row in read_predictions(tmp_path / "p.jsonl")] == ["q0", "q1", "q2"]
        run = read_run(tmp_path / "p.jsonl")
        assert run["labels"] == list(labels)
        assert run["prompt"]["instruction"] == "Choose."
        assert run["prompt_version"] == prompt_version(prompt)
        assert set(run["digests"]) == {"questions", "store", "concepts"}

    def test_runs_from_a_checkout_that_is_not_installed(self, model_config, tmp_path, monkeypatch):
        def version(package):
            if package == "meg-pipeline":
                raise PackageNotFoundError(package)
            return "1.0"

        monkeypatch.setattr("meg.predict.version", version)
        write_questions(tmp_path / "q.jsonl", questions())
        main(
            PredictCommand,
            [
                f"--questions={tmp_path}/q.jsonl",
                f"--model={model_config.model_dump_json()}",
                '--prompt={"concepts": "none"}',
                f"--out={tmp_path}/p.jsonl",
            ],
        )
        versions = read_run(tmp_path / "p.jsonl")["versions"]
        assert versions["meg-pipeline"] == "not installed"
        assert versions["torch"] == "1.0"

    def test_the_store_may_be_left_out_where_no_concept_is_asked_for(
        self, model_config, tmp_path, capsys
    ):
        asked = [Question(id="q", stem="Is it?", options=("yes", "no"), answer=0)]
        write_questions(tmp_path / "q.jsonl", asked)

        def arguments(**prompt):
            return [
                f"--questions={tmp_path}/q.jsonl",
                f"--model={model_config.model_dump_json()}",
                f"--prompt={PromptConfig(**prompt).model_dump_json()}",
                f"--out={tmp_path}/p.jsonl",
            ]

        main(PredictCommand, arguments(concepts="none"))
        assert read_run(tmp_path / "p.jsonl")["digests"]["store"] is None
        for wrong in ({"concepts": "question"}, {"concepts": "none", "triplets": 2}):
            with pytest.raises(SystemExit):
                main(PredictCommand, arguments(**wrong))
            assert "give --store" in capsys.readouterr().err
