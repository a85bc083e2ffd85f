import pytest
import torch

from kg.shared.errors import InputError
from meg.config import PredictConfig, PromptConfig
from meg.datasets.question import Question
from meg.inference.answer import predict
from meg.prompts.parse import chosen_option
from tests.meg.prompts.test_wording import QUESTION

PROMPT = PromptConfig(answer="text", list_options=False)


def questions():
    others = [
        Question(id=f"q{i}", stem="Which? " * i, options=("a", "bb", "c" * i), answer=i % 3)
        for i in range(2, 9)
    ]
    known = QUESTION.model_dump() | {"id": "q1"}
    return [Question.model_validate(known), *others]


class TestPredictions:
    def test_come_in_the_order_of_the_questions(self, reader):
        found = predict(reader, questions(), PROMPT, PredictConfig())
        assert [row.id for row in found] == [question.id for question in questions()]
        assert [len(row.scores) for row in found] == [2, *[3] * 7]

    def test_do_not_depend_on_the_batch_size(self, reader):
        """Scores agree to 1e-4, as they are written."""
        both = [
            predict(
                reader,
                questions(),
                PROMPT,
                PredictConfig(batch_size=size),
            )
            for size in (1, 8)
        ]
        for one, eight in zip(*both, strict=True):
            assert one.prediction == eight.prediction
            differences = [abs(a - b) for a, b in zip(one.scores, eight.scores, strict=True)]
            assert max(differences) <= 2e-4

    @pytest.mark.parametrize("method", ["likelihood", "generate"])
    def test_do_not_depend_on_the_budget_of_tokens(self, reader, method, monkeypatch):
        network = reader.network
        sizes: list[tuple[int, ...]] = []
        embed = network.embed
        monkeypatch.setattr(
            network, "embed", lambda ids, *more: sizes.append(ids.shape) or embed(ids, *more)
        )
        tight, loose = (
            predict(reader, questions(), PROMPT, PredictConfig(method=method, batch_tokens=budget))
            for budget in (300, 10_000)
        )
        *several, (rows, _) = sizes
        assert rows == 8
        assert all(rows * length <= 300 for rows, length in several)
        assert any(rows > 1 for rows, _ in several)
        assert [row.prediction for row in tight] == [row.prediction for row in loose]
        assert [row.text for row in tight] == [row.text for row in loose]

    @pytest.mark.parametrize("method", ["likelihood", "generate"])
    def test_a_question_that_the_llm_cannot_read_is_refused(self, reader, method):
        """The LLM of the tests reads 512 tokens, here bytes."""
        asked = [*questions(), Question(id="long", stem="x" * 510, options=("a", "b"), answer=0)]
        with pytest.raises(InputError, match=r"question 'long' takes \d+ tokens .* reads 512"):
            predict(reader, asked, PROMPT, PredictConfig(method=method))

    def test_say_which_concepts_were_injected(self, reader):
        found = predict(reader, questions(), PROMPT, PredictConfig())
        assert all(not row.concepts for row in found)  # C1, C2 and C9 have no vector


class TestMethods:
    """Every way of answering, twice: the same both times."""

    @pytest.mark.parametrize("answer", ["letter", "text"])
    def test_likelihood_chooses_the_best_score(self, answer, reader):
        prompt = PromptConfig(answer=answer)
        first, again = (predict(reader, questions(), prompt, PredictConfig()) for _ in range(2))
        assert first == again
        assert all(row.prediction == row.scores.index(max(row.scores)) for row in first)

    def test_generation_is_parsed_strictly(self, reader):
        config = PredictConfig(method="generate")
        first, again = (predict(reader, questions(), PROMPT, config) for _ in range(2))
        assert first == again
        # A random LLM writes nothing that could be read.
        assert [row.prediction for row in first] == [None] * 8
        assert all(row.text for row in first)
        assert not any(row.right for row in first)

    def test_what_was_written_is_what_is_parsed(self, reader, monkeypatch):
        written = ["(A).", "B or C", "c"]
        monkeypatch.setattr("meg.inference.answer.write", lambda *_: written)
        asked = questions()[1:4]
        config = PredictConfig(method="generate")
        found = predict(reader, asked, PromptConfig(), config)
        by_text = [(row.text, row.prediction) for row in found]
        expected = [(x, chosen_option(x, "abc", PromptConfig())) for x in written]
        assert sorted(by_text) == sorted(expected)
        assert dict(by_text) == {"(A).": 0, "B or C": None, "c": 2}

    def test_yes_and_no_cannot_be_generated(self, reader):
        prompt, config = PromptConfig(answer="yesno"), PredictConfig(method="generate")
        with pytest.raises(InputError, match=r"set prompt\.answer to letter or text"):
            predict(reader, questions(), prompt, config)


def test_scores_that_are_no_numbers_are_an_error(reader):
    torch.nn.init.constant_(reader.network.llm.get_output_embeddings().weight, torch.nan)
    with pytest.raises(
        InputError, match=r"scores of q\d and the 7 questions with it are no numbers"
    ):
        predict(reader, questions(), PROMPT, PredictConfig())
