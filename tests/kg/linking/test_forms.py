"""Words and their forms: folding, abbreviations that a text defines, typing errors."""

import re

import marisa_trie
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kg.linking.abbreviations import abbreviations
from kg.linking.normalise import correct, fold, key_of, keys_of, words_of
from tests.kg.linking.test_linker import found, linker


class TestFold:
    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("Seizures", "seizure"),
            ("biopsies", "biopsy"),
            ("masses", "mass"),
            ("Sjögren", "Sjogren"),
            ("AEDs", "AED"),
            ("ÅNGSTRÖM", "angstrom"),
            ("haemorrhages", "hemorrhage"),
            ("Oedema", "edema"),
            ("fœtal", "fetal"),
        ],
    )
    def test_forms_of_one_word(self, one, other):
        assert fold(one) == fold(other)

    @pytest.mark.parametrize(
        ("one", "other"),
        [("WAS", "was"), ("AIDS", "aid"), ("virus", "viru"), ("gas", "ga"), ("poet", "pet")],
    )
    def test_different_words(self, one, other):
        assert fold(one) != fold(other)

    @settings(max_examples=100, deadline=None)
    @given(st.text())
    @example("0\u0300")
    def test_words_have_their_offsets_and_no_space(self, text):
        spans, words = words_of(text)
        assert len(spans) == len(words)
        assert all(word and " " not in word for word in words)
        marks = re.compile("[\u0300-\u036f]")
        assert all(marks.sub("", text[start:end]).isalnum() for start, end in spans)

    @pytest.mark.parametrize("text", ["Alzheimer's disease", "Alzheimer\u2019s disease"])
    def test_the_s_of_a_possessive_is_no_word(self, text):
        assert key_of(text) == key_of("Alzheimer disease") == key_of(text.lower())
        assert key_of(text.upper().lower()) == key_of("alzheimer disease")

    @pytest.mark.parametrize(
        ("text", "key"),
        [("type 's", "type s "), ("protein S", "protein S "), ("a'sb", "a sb "), ("'s", "s ")],
    )
    def test_others_are(self, text, key):
        assert key_of(text) == key

    def test_shouted_name_has_two_keys(self):
        assert keys_of("TYPE II DYSTONIA") == ["TYPE II dystonia ", "type ii dystonia "]
        assert keys_of("BRCA1") == ["BRCA1 "] == [key_of("BRCA1")]


class TestAbbreviations:
    @pytest.mark.parametrize(
        ("text", "long"),
        [
            ("with cystic fibrosis (CF).", "cystic fibrosis"),
            ("Pseudomonas aeruginosa ( Pa ) infection", "Pseudomonas aeruginosa"),
            ("heat shock transcription factor (HSF)", "heat shock transcription factor"),
            ("messenger RNA (mRNA; see below)", "messenger RNA"),
        ],
    )
    def test_long_form_is_found(self, text, long):
        [(start, end)] = abbreviations(text).values()
        assert text[start:end] == long

    @pytest.mark.parametrize(
        "text", ["(CF)", "a man (CF)", "neutropenia (severe)", "in 100 (50)", "x (CF", "in (C.F.)"]
    )
    def test_no_definition(self, text):
        assert abbreviations(text) == {}

    def test_defined_form_means_its_long_form_everywhere(self):
        rows = [("C1", "Cystic fibrosis", []), ("G1", "CF", []), ("C2", "Cystic fibrosis lung", [])]
        text = "Cystic fibrosis (CF): the CF lung in CF."
        mentions = [(text[m.start : m.end], m.candidates[0].cui) for m in linker(rows).link(text)]
        assert mentions == [
            ("Cystic fibrosis", "C1"),
            ("CF", "C1"),
            ("CF lung", "C2"),
            ("CF", "C1"),
        ]

    def test_in_a_text_all_in_capitals_too(self):
        rows = [("C1", "Cystic fibrosis", []), ("G1", "CF", [])]
        text = "PATIENTS WITH CYSTIC FIBROSIS (CF): CF IS BAD."
        mentions = [(text[m.start : m.end], m.candidates[0].cui) for m in linker(rows).link(text)]
        assert mentions == [("CYSTIC FIBROSIS", "C1"), ("CF", "C1"), ("CF", "C1")]

    def test_form_defined_as_something_unknown_is_no_name(self):
        assert found("A wonderful alpine song (WAS): the WAS.") == []
        assert found("The WAS.") == [("WAS", "NCBIGene:7454")]

    def test_name_that_holds_a_definition_is_found_whole(self):
        rows = [("C1", "Cystic fibrosis (CF)", []), ("C2", "CF lung", [])]
        text = "It is cystic fibrosis (CF) or CF lung."
        mentions = [text[m.start : m.end] for m in linker(rows).link(text)]
        assert mentions == ["cystic fibrosis (CF)", "CF lung"]


NAMES = """
dystonia dystopia epistaxis fibrosis hemothorax hopeless hydrophobia neutropenia osteoblastoma
polyphagia
"""
WORDS = marisa_trie.Trie(NAMES.split())


class TestTypos:
    @pytest.mark.parametrize(
        ("word", "meant"),
        [("fibrossis", "fibrosis"), ("neutropnia", "neutropenia"), ("fibrsois", "fibrosis")],
    )
    def test_one_edit_is_undone(self, word, meant):
        assert correct(word, WORDS) == meant

    @pytest.mark.parametrize(
        "word",
        ["fibrosis", "dystomia", "fibxyosis", "vibrosis", "FIBROSIS2", "fibros", "f" * 1_000_000],
    )
    def test_word_is_left_alone(self, word):
        assert correct(word, WORDS) == word

    @pytest.mark.parametrize(
        "word",
        ["homeless", "hemithorax", "hydrophobic", "epistasis", "osteoclastoma", "polyphaga"],
    )
    def test_word_that_is_right_is_left_alone(self, word):
        assert correct(word, WORDS) == word

    def test_linker_reads_over_a_typing_error_at_its_offsets(self):
        assert found("It is cystic fibrossis.", typos=True) == [("cystic fibrossis", "C0000002")]
        assert found("It is cystic fibrossis.") == []
