"""The accept model: what it sees of a place, what it learns, its file."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from kg.config import LinkConfig
from kg.linking.accept import Accept, features, read_accept, write_accept
from kg.linking.build import build_dictionary
from kg.linking.context import PLACES, Context, gap_token, suffix_token
from kg.linking.corpus import Document
from kg.linking.fit import fit_folds
from kg.linking.fit_accept import _best_threshold, fit_accept
from kg.linking.fit_context import fit_context
from kg.linking.linker import Linker
from kg.shared.errors import InputError
from tests.kg.linking.test_linker import table

CONCEPTS = [("C1", "Cold", []), ("C2", "Rhinitis", ["common cold"]), ("C3", "Fever", [])]


def corpus(papers: int = 100) -> list[Document]:
    """Papers in which "cold" is an illness after "with" and none before "rooms"."""
    ill = Document("", "Ill with cold , and fever .", ((9, 13, "C1"), (20, 25, "C3")))
    room = Document("", "Many cold rooms , and fever .", ((22, 27, "C3"),))
    return [
        Document(str(number), case.text, case.mentions)
        for number, case in enumerate([ill, room] * (papers // 2))
    ]


@pytest.fixture(scope="module")
def learned() -> tuple[pl.DataFrame, Accept]:
    priors, folds = fit_folds(corpus(), set())
    return priors, fit_accept(corpus(), folds)


class TestContext:
    def test_scores_add_the_rows_of_the_words_and_gaps_around(self):
        generator = np.random.default_rng(0)
        index = {"a": 1, "b": 2, "|,": 3, "~A": 4}
        weights = generator.normal(size=(5, 9)).astype(np.float32)
        weights[0] = 0
        context = Context(index, weights, np.array([0.5, -0.5], dtype=np.float32))
        words, gaps = ["a", "XY", "?", "b"], [" , ", "-", ","]
        rows = [1, 4, 0, 2], [3, 0, 3, 0]
        for kind, scores in enumerate(context.scores(words, gaps)):
            for here in range(4):
                expected = context.bias[kind]
                for part, places in zip(rows, PLACES[kind], strict=True):
                    for column, place in enumerate(places, 5 * kind):
                        if 0 <= here + place < 4:
                            expected += weights[part[here + place], column]
                assert scores[here] == pytest.approx(expected, abs=1e-5)

    def test_text_without_words(self):
        context = Context({}, np.zeros((1, 9), dtype=np.float32), np.zeros(2))
        assert [part.shape for part in context.scores([], [])] == [(0,), (0,)]

    @pytest.mark.parametrize(
        ("word", "token"), [("nephritis", "~itis"), ("12", "~#"), ("il6", "~%"), ("CFTR", "~A")]
    )
    def test_unknown_words_count_by_their_class(self, word, token):
        assert suffix_token(word) == token

    def test_spaces_around_a_separator_do_not_count(self):
        assert gap_token(" , ") == gap_token(",") != gap_token(" ")

    def test_learned_words_tell_mentions(self):
        context = fit_context(corpus())
        inside, _ = context.scores(["many", "cold", "room"], [" ", " "])
        assert inside.max() < 0
        inside, _ = context.scores(["ill", "with", "cold"], [" ", " "])
        assert inside[2] > 0 > inside[1]


class TestFeatures:
    def test_a_row_a_place_with_the_extremes_of_its_words(self):
        weights = np.zeros((4, 9), dtype=np.float32)
        weights[1:, 2] = 1, -2, 3
        context = Context({"a": 1, "b": 2, "c": 3}, weights, np.zeros(2))
        places = [(0, 2, 7, 0.5, "C1"), (2, 3, 8, 0.5, "C2"), (0, 1, 7, 0.5, "C1")]
        rows = features(context, ["a", "b", "c"], [" ", " "], places)
        assert rows.shape == (3, 12)
        assert np.exp(rows[:, 2]).tolist() == pytest.approx([2, 1, 2])
        assert rows[:, 7].tolist() == [-2, 3, 1]
        assert rows[:, 8].tolist() == [1, 3, 1]
        assert rows[:, 9].tolist() == [-0.5, 3, 1]


class TestFit:
    def test_the_place_decides(self, learned):
        priors, accept = learned
        config = LinkConfig(min_link=0)
        dictionary = build_dictionary(table(CONCEPTS), config, priors)[0]
        linker = Linker(dictionary, config, accept)
        for text, names in {
            "Ill with cold , and so on .": ["cold"],
            "Many cold rooms , and so on .": [],
        }.items():
            assert [text[m.start : m.end] for m in linker.link(text)] == names
        alone = linker.link("cold")
        assert [m.candidates[0].cui for m in alone] == ["C1"]

    def test_off_where_the_configuration_says_so(self, learned):
        config = LinkConfig(min_link=0, accept=False)
        dictionary = build_dictionary(table(CONCEPTS), config, learned[0])[0]
        text = "Many cold rooms , and so on ."
        assert Linker(dictionary, config, learned[1]).link(text)

    def test_same_corpus_same_model(self, learned):
        _, folds = fit_folds(corpus(), set())
        again = fit_accept(corpus(), folds)
        assert np.array_equal(again.coefficients, learned[1].coefficients)
        assert again.threshold == learned[1].threshold

    def test_what_is_not_linked_is_neither_found_nor_gold(self, monkeypatch):
        """100 mentions of fever, of another type, and 50 of cold."""
        seen = []
        monkeypatch.setattr(
            "kg.linking.fit_accept._best_threshold",
            lambda places, gold: seen.append((set(places["cui"]), gold)) or 0.5,
        )
        papers = [
            replace(
                paper,
                mentions=tuple((a, b, cui.replace("C3", "X3")) for a, b, cui in paper.mentions),
            )
            for paper in corpus()
        ]
        concepts = table([("C1", "Cold", []), ("X3", "Fever", [])])
        _, folds = fit_folds(papers, set())
        for types in ((), ("T000",)):
            fit_accept(papers, folds, concepts, config=LinkConfig(semantic_types=types))
        assert seen == [({"C1", "X3"}, 150), ({"C1"}, 50)]

    def test_corpus_that_teaches_nothing_is_refused(self):
        with pytest.raises(InputError, match="take a larger one"):
            fit_accept([Document("1", "none")], [])

    def test_threshold_of_the_best_document_f1(self):
        rows = [
            ("1", "A", 0.9, True),
            ("1", "A", 0.7, True),  # the same concept again
            ("2", "C", 0.6, False),
            ("2", "D", 0.5, True),
            ("2", "E", 0.4, False),
        ]
        schema = ["document", "cui", "chance", "meant"]
        table = pl.DataFrame(rows, schema=schema, orient="row")
        assert _best_threshold(table, 2) == pytest.approx(0.45)
        assert _best_threshold(table, 1) == pytest.approx(0.75)


class TestFile:
    def test_read_back(self, learned, tmp_path):
        write_accept(tmp_path / "accept.npz", learned[1])
        again = read_accept(tmp_path / "accept.npz")
        assert again.context.index == learned[1].context.index
        words, gaps = ["ill", "with", "cold"], [" ", " "]
        place = [(2, 3, 0, 0.5, "C1")]
        expected = learned[1].probabilities(words, gaps, place)
        assert np.array_equal(again.probabilities(words, gaps, place), expected)
        assert again.threshold == learned[1].threshold

    @pytest.mark.parametrize("content", [b"", b"no array", b"PK\x03\x04"])
    def test_another_file_is_refused(self, content, tmp_path):
        (tmp_path / "accept.npz").write_bytes(content)
        with pytest.raises(InputError, match=r"is no accept model|is empty"):
            read_accept(tmp_path / "accept.npz")
