import numpy as np
import pytest

from meg.config import PredictConfig, PromptConfig
from meg.datasets.question import Question
from meg.evaluation.prediction import Prediction
from meg.inference import calibration
from meg.inference.answer import predict
from meg.inference.calibration import calibrate, claim
from meg.prompts.tokens import Tokens
from tests.meg.prompts.test_wording import QUESTION

PROMPT = PromptConfig(answer="yesno", list_options=False, concepts="question+options")


def questions(n):
    return [
        Question(id=f"q{i}", stem="Which?", options=("a", "b", "c"), answer=i % 3) for i in range(n)
    ]


def scoring(monkeypatch, right):
    """An LLM whose score of an option is normal around `right` or -`right`."""
    asked = []

    def scores(reader, claims, *_):
        asked.extend(claims)
        rng = np.random.default_rng(0)
        signs = [1 if int(c.id[1:].split("/")[0]) % 3 == int(c.id[-1]) else -1 for c in claims]
        drawn = [round(float(s * right + rng.normal()), 4) for s in signs]
        return [
            Prediction(id=c.id, answer=0, prediction=0, scores=(score,))
            for c, score in zip(claims, drawn, strict=True)
        ]

    monkeypatch.setattr(calibration, "predict", scores)
    return asked


class TestCalibrate:
    def test_finds_the_log_odds(self, monkeypatch):
        """Of normals of variance 1 around 1 and -1 these are twice the score."""
        asked = scoring(monkeypatch, 1.0)
        found = calibrate(None, questions(400), PROMPT, 0)
        assert found.slope == pytest.approx(2, abs=0.3)
        assert found.intercept == pytest.approx(0, abs=0.3)
        assert found.claims == len(asked) == 800
        assert [found.probability(x) for x in (-9e9, 9e9)] == pytest.approx([0, 1])

    def test_no_signal_is_none(self, monkeypatch, caplog):
        scoring(monkeypatch, -1.0)
        assert calibrate(None, questions(60), PROMPT, 0) is None
        assert "score no higher than wrong ones" in caplog.text

    def test_few_questions_are_none(self, caplog):
        assert calibrate(None, questions(29), PROMPT, 0) is None
        assert "29 dev questions, at least 30" in caplog.text


def test_a_claim_scores_as_its_option_does(reader, monkeypatch):
    monkeypatch.setattr(Tokens, "verdicts", (ord("Y"), ord("N")))
    [whole] = predict(reader, [QUESTION], PROMPT, PredictConfig())
    claims = [claim(QUESTION, option) for option in range(len(QUESTION.options))]
    rows = predict(reader, claims, PROMPT, PredictConfig())
    assert [row.scores[0] for row in rows] == pytest.approx(whole.scores, abs=1e-3)
