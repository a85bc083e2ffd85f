from types import SimpleNamespace

import numpy as np
import pytest

from kg.shared.errors import InputError
from meg.config import PromptConfig, RankConfig
from meg.datasets.question import Question
from meg.datasets.vignette import Case
from meg.inference import judge
from meg.inference.diagnosis import Candidates, Diseases
from meg.inference.judge import Judge, misfit
from meg.model.checkpoint import build
from meg.model.record import Record
from meg.model.trained import Trained
from meg.prompts.tokens import Tokens
from meg.prompts.vectors import Vectors
from tests.meg.conftest import KGE
from tests.meg.datasets.patient_graph import annotated_graph, patient_store

GRAPH = annotated_graph()
ONE_BY_ONE = PromptConfig(answer="yesno", list_options=False, concepts="question+options")


@pytest.fixture
def record(model_config):
    return Record(model=model_config, kge=KGE, store="", prompt=ONE_BY_ONE)


def quiz(wording):
    return Trained.on(
        [
            Question(id=str(i), stem=f"{wording} {i}?", options=("x", "y"), answer=0)
            for i in range(2)
        ],
        "listwise",
        None,
    )


class TestMisfit:
    def test_one_that_judges_options_fits(self, record):
        assert misfit(record) is None
        trained = record.model_copy(update={"trained": quiz("A patient has")})
        assert misfit(trained) is None

    def test_what_else_it_learned_is_said(self, record):
        def of(**update):
            return misfit(record.model_copy(update=update))

        assert "Phase I" in of(prompt=None)
        assert "letter" in of(prompt=PromptConfig())
        listed = ONE_BY_ONE.model_copy(update={"list_options": True})
        assert "listed" in of(prompt=listed)
        assert "other words" in of(trained=quiz("Which gene is"))

    def test_is_an_error_for_a_judge(self, record, network_and_tokens):
        unfit = record.model_copy(update={"prompt": None})
        with pytest.raises(InputError, match="50 diseases: it has learned no questions"):
            Judge((*network_and_tokens, unfit), None, RankConfig())


class TestJudged:
    def test_the_llm_is_told_what_tells_the_most_and_its_score_is_added(
        self, record, network_and_tokens, monkeypatch
    ):
        asked = []

        def predict(reader, questions, prompt, config):
            asked.extend(questions)
            return [SimpleNamespace(scores=(-1.0, 0.0, 1.0)) for _ in questions]

        monkeypatch.setattr(judge, "predict", predict)
        config = RankConfig(findings=2, absent=1, llm_weight=0.75)
        diseases = Diseases(GRAPH, None, config)
        findings = ("HP:00", "HP:50", "HP:40")
        case = Case(findings, ("HP:05", "HP:06"))
        candidates = Candidates(np.array([4, 9, 2]), np.array([3.0, 2.0, 1.0]))
        (found,) = Judge((*network_and_tokens, record), None, config).judged(
            diseases, [case], [candidates]
        )
        (question,) = asked
        content = diseases.information.content
        assert content[diseases.information.node["HP:00"]] == 0
        names = [diseases.names[cui] for cui in ("OMIM:04", "OMIM:09", "OMIM:02")]
        assert question.options == tuple(names)
        assert "finding 50; finding 40." in question.stem
        assert "Not found: finding 5." in question.stem
        # Both are evenly spread: with most of the weight the LLM turns the order round.
        assert found.places.tolist() == [2, 9, 4]
        assert found.scores == pytest.approx(np.array([1, 0, -1]) * np.sqrt(1.5) / 2)

    def test_a_model_with_vectors_judges_with_them(
        self, model_config, tmp_path, monkeypatch, caplog
    ):
        monkeypatch.setattr(Tokens, "verdicts", (ord("Y"), ord("N")))
        store = patient_store(tmp_path / "embeddings.h5", GRAPH)
        vectors, config = Vectors(store), RankConfig(candidates=3)
        prompt = ONE_BY_ONE.model_copy(update={"max_tokens": 120})
        record = Record(model=model_config, kge=store.dim, store=store.space, prompt=prompt)
        diseases = Diseases(GRAPH, vectors, config)
        candidates = Candidates(np.array([4, 9, 2]), np.array([3.0, 2.0, 1.0]))
        found = Judge((*build(model_config, store.dim), record), vectors, config).judged(
            diseases, [Case(("HP:20", "HP:30"))] * 2, [candidates] * 2
        )
        assert {*found[0].places.tolist()} == {2, 4, 9}
        assert found[0].scores.tolist() == sorted(found[0].scores, reverse=True)
        assert found[1].places.tolist() == found[0].places.tolist()
        # The length is that of a few options.
        assert "max_tokens" not in caplog.text

    def test_vectors_of_another_space_are_an_error(self, record, network_and_tokens, store):
        other = record.model_copy(update={"store": "another"})
        with pytest.raises(InputError, match="trained with other vectors"):
            Judge((*network_and_tokens, other), Vectors(store), RankConfig())
