"""Symbols of genes, qualifiers and ordinary words are linked where they mean their concept."""

import polars as pl
import pytest

from kg.config import LinkConfig
from kg.graph.tables import CONCEPTS, normalise_concepts
from kg.linking.build import build_dictionary
from kg.linking.dictionary import PRIORS
from kg.linking.linker import Linker
from kg.linking.normalise import fold
from kg.linking.symbols import _GENE_WORDS, is_gene, is_symbol

ROWS = [
    ("G1", "HR", [], ["gene"]),
    ("G2", "C5", [], ["gene"]),
    ("G3", "CPAP", [], ["gene"]),
    ("G4", "BRCA1", [], ["gene"]),
    ("G5", "KCNE", [], ["Gene or Genome"]),
    ("P1", "Cerebral palsy", ["CP"], ["phenotype"]),
    ("P2", "Chronic kidney disease", ["CKD"], ["phenotype"]),
    ("M1", "Transient", [], ["clinical modifier"]),
    ("M2", "Slowly progressive", [], ["clinical modifier"]),
    ("P3", "Self-cutting", ["Cutting"], ["phenotype"]),
]


def linker(priors: pl.DataFrame | None = None) -> Linker:
    rows = [(*row, None) for row in ROWS]
    concepts = normalise_concepts(pl.DataFrame(rows, schema=CONCEPTS, orient="row"))
    return Linker(build_dictionary(concepts, LinkConfig(), priors)[0], LinkConfig())


def found(text: str, beside: str = "") -> list[str]:
    return [text[m.start : m.end] for m in linker().link(text, beside)]


class TestGenes:
    @pytest.mark.parametrize(
        "text",
        [
            "BP 120/80, HR 90",
            "all-cause mortality (HR: 1.58)",
            "the disc between C5 and C6",
            "bubble CPAP for preterm infants",
            "a high expression (HR 1.9) of it",
            "a gene of which the nurse with the CPAP knows",
        ],
    )
    def test_abbreviation_of_something_else(self, text):
        assert found(text) == []

    @pytest.mark.parametrize(
        ("text", "symbol"),
        [
            ("Which disorders are linked to the gene HR?", "HR"),
            ("variants of C5", "C5"),
            ("CPAP-mutated cells", "CPAP"),
            ("loss of BRCA1 was seen", "BRCA1"),
            ("mutations in the KCNE", "KCNE"),
            ("a polymorphism in KCNE-1", "KCNE"),
        ],
    )
    def test_where_the_text_speaks_of_genes_or_it_looks_like_nothing_else(self, text, symbol):
        assert found(text) == [symbol]

    def test_an_option_is_a_gene_where_its_question_asks_for_one(self):
        assert found("HR", "Which of these genes is linked to hypotrichosis?") == ["HR"]
        assert found("C5", "Which vertebra has the carotid tubercle?") == []
        assert found("HR") == ["HR"]

    def test_a_corpus_knows_better(self):
        priors = pl.DataFrame([("HR ", "G1", 9, 0.9)], schema=PRIORS, orient="row")
        assert len(linker(priors).link("an HR of 90")) == 1

    def test_forms(self):
        keys = ["HR ", "C5 ", "TP53 ", "CPAP ", "BRCA1 ", "PLA2G2A ", "insulin ", "HLA B "]
        assert [is_symbol(key) for key in keys] == [True] * 4 + [False] * 4
        assert is_gene(["Gene or Genome"])
        assert is_gene(["gene"])
        assert not is_gene(["phenotype", "Genetic Function"])

    def test_gene_words_are_in_the_form_of_a_texts(self):
        assert {fold("mutations"), fold("mRNAs"), fold("SNPs")} <= set(
            map(fold, _GENE_WORDS.split())
        )


class TestOthers:
    def test_two_capitals_mean_what_the_text_defines(self):
        assert found("a positive CP of 2.3, and CKD") == ["CKD"]
        assert found("Does CP matter?", "cerebral palsy (CP)") == ["CP"]
        assert found("Does CKD matter?", "cold knee dressing (CKD)") == []

    def test_one_word_qualifiers_are_no_mentions(self):
        assert found("transient, slowly progressive") == ["slowly progressive"]

    def test_ordinary_words_are_no_mentions(self):
        assert found("the cutting edge") == []

    def test_a_text_of_one_name_is_that_name_surely(self):
        [mention] = linker().link("Transient")
        assert mention.candidates[0].score == LinkConfig().unseen_link
