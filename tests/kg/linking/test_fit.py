"""What a corpus teaches: link probabilities, commonness, and what is left out."""

import gzip
import json

import polars as pl
import pytest

from kg.config import LinkConfig
from kg.linking.build import build_dictionary
from kg.linking.corpus import Document, held_out, read_corpus
from kg.linking.counts import count
from kg.linking.dictionary import PRIORS, read_priors, write_priors
from kg.linking.evaluate import evaluate, scores_table
from kg.linking.fit import fit_priors
from kg.linking.linker import Linker
from kg.linking.normalise import key_of
from kg.shared.errors import InputError
from tests.kg.linking.test_linker import linker, table


def corpus(papers: int) -> list[Document]:
    """Papers in which "cold" means C2 and "study" and "x rays" are rarely meant."""
    documents = []
    for number in range(papers):
        text = "A study of the cold, a study of cold rooms, a study of fever."
        mentions = [(15, 19, "C2"), (55, 60, "C3")]
        if number % 20 == 0:
            mentions.append((2, 7, "C4"))
        documents.append(Document(str(number), text, tuple(mentions)))
    return documents


CONCEPTS = [
    ("C1", "Cold", []),
    ("C2", "Rhinitis", ["Cold"]),
    ("C3", "Fever", []),
    ("C4", "Study", []),
]


def fitted(documents, **config) -> Linker:
    link = LinkConfig(**config)
    return Linker(build_dictionary(table(CONCEPTS), link, fit_priors(documents, set()))[0], link)


class TestFit:
    def test_name_that_is_rarely_a_mention_is_not_linked(self):
        text = "A study of fever."
        assert len(linker([("C3", "Fever", []), ("C4", "Study of", [])]).link(text)) == 2
        mentions = fitted(corpus(100)).link(text)
        assert [text[m.start : m.end] for m in mentions] == ["fever"]
        assert mentions[0].candidates[0].score > 0.8

    def test_what_the_corpus_means_beats_the_preferred_name(self):
        [mention] = fitted(corpus(100), min_link=0).link("a cold")
        assert mention.candidates[0].cui == "C2"

    def test_same_corpus_same_priors(self):
        assert fit_priors(corpus(60), set()).equals(fit_priors(corpus(60), set()))

    def test_names_of_concepts_that_are_never_mentions(self):
        priors = fit_priors(corpus(100), {key_of("rooms"), key_of("nowhere")})
        [room] = priors.filter(key=key_of("rooms")).rows(named=True)
        assert room["cui"] is None
        assert room["link"] < 0.2
        assert priors.filter(key=key_of("nowhere")).is_empty()

    def test_without_mentions_common_names_are_not_linked(self):
        texts = ["a study of fever" if number == 0 else "a study" for number in range(100)]
        documents = [Document(str(number), text) for number, text in enumerate(texts)]
        priors = fit_priors(documents, {key_of("study"), key_of("fever")})
        link = dict(priors.select("key", "link").rows())
        assert link[key_of("study")] == 0 < link[key_of("fever")]

    def test_corpus_that_teaches_nothing_is_refused(self):
        with pytest.raises(InputError, match="take a larger one"):
            fit_priors(corpus(1), set())

    def test_counts_of_words_and_names(self):
        [document] = corpus(2)[1:]
        import marisa_trie  # noqa: PLC0415

        counts = count([document], marisa_trie.Trie([key_of("cold"), key_of("study of")]))
        assert counts.found == {key_of("cold"): 2, key_of("study of"): 3}
        assert (counts.true[key_of("cold")], counts.true[key_of("study of")]) == (1, 0)
        assert (counts.words["cold"], counts.inside["cold"]) == (2, 1)


class TestCorpus:
    def test_plain_and_compressed_read_the_same(self, tmp_path):
        line = json.dumps({"pmid": "7", "text": "a\u2028cold", "mentions": [MENTION]}) + "\n"
        (tmp_path / "a.jsonl").write_text(line)
        (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(line.encode()))
        expected = [Document("7", "a\u2028cold", ((2, 6, "C2"),))]
        assert read_corpus(tmp_path / "a.jsonl") == expected
        assert read_corpus(tmp_path / "a.jsonl.gz") == expected

    @pytest.mark.parametrize("place", [10, -6])
    def test_a_damaged_file_is_named(self, tmp_path, place):
        lines = "".join(json.dumps({"text": f"cold {i * 7919 % 1009}"}) + "\n" for i in range(200))
        damaged = bytearray(gzip.compress(lines.encode()))
        damaged[place] ^= 0xFF
        (tmp_path / "a.jsonl.gz").write_bytes(damaged)
        with pytest.raises(InputError, match=r"a\.jsonl\.gz cannot be unpacked"):
            read_corpus(tmp_path / "a.jsonl.gz")

    def test_a_null_id_is_none(self, tmp_path):
        (tmp_path / "a.jsonl").write_text(
            '{"pmid": null, "text": "a"}\n{"id": null, "stem": "b"}\n'
        )
        assert [document.id for document in read_corpus(tmp_path / "a.jsonl")] == ["1", "2"]

    def test_questions_are_texts_without_mentions(self, tmp_path):
        (tmp_path / "a.jsonl").write_text('{"id": "1", "stem": "Why?", "context": "Cold."}\n')
        assert read_corpus(tmp_path / "a.jsonl") == [Document("1", "Why?\nCold.")]

    @pytest.mark.parametrize(
        "line", ["{", "[]", '{"text": "ab", "mentions": [{"start": 1, "end": 3, "cui": "C"}]}']
    )
    def test_bad_line_is_named(self, tmp_path, line):
        (tmp_path / "a.jsonl").write_text('{"text": ""}\n' + line + "\n")
        with pytest.raises(InputError, match=r"a\.jsonl line 2"):
            read_corpus(tmp_path / "a.jsonl")

    def test_held_out_is_by_id_whatever_the_order(self):
        documents = corpus(300)
        learned, scored = held_out(documents, 0.2)
        assert 30 < len(scored) < 90
        assert len(learned) + len(scored) == 300
        again = held_out(documents[::-1], 0.2)[1]
        assert {d.id for d in again} == {d.id for d in scored}


MENTION = {"start": 2, "end": 6, "cui": "C2"}


class TestPriorsFile:
    def test_read_back(self, tmp_path):
        priors = fit_priors(corpus(40), {key_of("rooms")})
        write_priors(tmp_path / "priors.parquet", priors)
        assert read_priors(tmp_path / "priors.parquet").equals(priors)
        assert priors.schema == PRIORS

    def test_another_table_is_refused(self, tmp_path):
        pl.DataFrame({"key": ["a"]}).write_parquet(tmp_path / "priors.parquet")
        with pytest.raises(InputError, match="has the columns"):
            read_priors(tmp_path / "priors.parquet")


class TestEvaluate:
    def test_documents_count_cuis_and_mentions_count_places(self):
        text = "fever, fever, study"
        gold = ((0, 5, "C3"), (7, 12, "C3"), (14, 19, "C9"))
        made = linker([("C3", "Fever", []), ("C4", "Studyx", ["xyz study"])], min_link=0)
        scores = evaluate(made, [Document("1", text, gold), Document("2", "fever")])
        assert scores["document"] == pytest.approx(
            {"precision": 50, "recall": 50, "f1": 50, "found": 2, "gold": 2}
        )
        assert scores["mention"] == pytest.approx(
            {"precision": 200 / 3, "recall": 200 / 3, "f1": 200 / 3, "found": 3, "gold": 3}
        )
        assert "| document | 50.0 | 50.0 | 50.0 |" in scores_table(scores)
