from meg.config import PredictConfig, PromptConfig
from meg.predict import predict
from meg.question import Question
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
