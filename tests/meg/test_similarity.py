import numpy as np
import pytest

from kg.graph.information import Information
from kg.linking.mention import Candidate, Mention
from kg.shared.errors import InputError
from kg.store import EmbeddingStore
from meg.datasets.question import Mentions, Question, write_questions
from meg.evaluation.prediction import read_predictions
from meg.prompts.vectors import Vectors
from meg.similarity import SimilarityCommand, by_information, by_vectors, likest
from tests.meg.datasets.patient_graph import annotated_graph


def question(asked, options, answer=0):
    """Each letter of the stem is a concept, so is each option that is not "none"."""
    stem = tuple(Mention(i, i + 1, (Candidate(cui, 1.0),)) for i, cui in enumerate(asked))
    found = tuple(
        () if cui == "none" else (Mention(0, 1, (Candidate(cui, 1.0),)),) for cui in options
    )
    return Question(
        id="q",
        stem="x" * max(1, len(asked)),
        options=tuple(options),
        answer=answer,
        kind="k",
        mentions=Mentions(stem=stem, options=found),
    )


def test_vectors_are_compared_by_their_cosine(store):
    (found,) = likest([question(["C01", "C02"], ["C03", "C04"], 1)], by_vectors(Vectors(store)))
    one, *others = Vectors(store)([("C01", "C02"), "C03", "C04"])
    cosines = [one @ other / np.linalg.norm(one) / np.linalg.norm(other) for other in others]
    assert found.scores == pytest.approx(cosines, rel=1e-5)
    assert found.prediction == int(np.argmax(cosines))
    assert (found.answer, found.kind, found.concepts) == (1, "k", ("C01", "C02"))


def test_findings_are_compared_by_their_information():
    graph = annotated_graph()
    information = Information(graph.concepts, graph.triplets)
    own = graph.annotations.filter(disease="OMIM:03")["finding"].to_list()
    options = ["OMIM:01", "OMIM:02", "OMIM:03"]
    (found,) = likest([question(own, options, 2)], by_information(information))
    assert found.prediction == 2
    wanted = information.similarity(own)
    assert found.scores == pytest.approx([wanted[information.row(cui)] for cui in options])


def test_an_option_that_cannot_be_compared_is_the_least(store):
    likeness = by_vectors(Vectors(store))
    found, bare, unknown = likest(
        [
            question(["C01"], ["none", "C02", "C03", "C99"]),
            question([], ["C02", "C03"]),
            question(["C01"], ["none", "C99"]),
        ],
        likeness,
    )
    assert found.scores[0] == found.scores[3] == min(found.scores[1:3])
    assert found.prediction in (0, 1, 2)
    assert (bare.prediction, bare.scores) == (None, None) == (unknown.prediction, unknown.scores)


class TestCommand:
    def test_writes_predictions(self, store, tmp_path):
        write_questions(tmp_path / "q.jsonl", [question(["C01"], ["C02", "C03"])])
        out = tmp_path / "out.jsonl"
        SimilarityCommand(
            questions=tmp_path / "q.jsonl", method="vectors", store=store.path, out=out
        ).run()
        (found,) = read_predictions(out)
        assert found.scores is not None
        assert (tmp_path / "out.meta.json").is_file()

    @pytest.mark.parametrize(
        ("method", "message"),
        [("vectors", "give --store"), ("information", "give --concepts and --triplets")],
    )
    def test_says_what_it_needs(self, tmp_path, method, message):
        write_questions(tmp_path / "q.jsonl", [question(["C01"], ["C02", "C03"])])
        with pytest.raises(InputError, match=message):
            SimilarityCommand(
                questions=tmp_path / "q.jsonl", method=method, out=tmp_path / "out.jsonl"
            ).run()

    def test_questions_that_were_never_linked(self, store, tmp_path):
        bare = Question(id="q", stem="x", options=("a", "b"), answer=0)
        with pytest.raises(InputError, match="q was never grounded"):
            likest([bare], by_vectors(Vectors(EmbeddingStore(store.path))))
