"""Names planted in texts are found, at their offsets, and nothing else is."""

import unicodedata
from collections.abc import Sequence
from itertools import pairwise

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.config import LinkConfig
from kg.graph.tables import CONCEPTS, normalise_concepts
from kg.link import Linker
from kg.linking.build import build_dictionary, keep_concepts
from kg.linking.dictionary import read_dictionary, write_dictionary
from kg.linking.generic import GENERIC
from kg.shared.errors import InputError

ROWS = [
    ("C0000001", "Seizure", ["Seizures", "Epileptic fit"]),
    ("C0000002", "Cystic fibrosis", ["CF", "Mucoviscidosis"]),
    ("C0000003", "Finding", []),
    ("C0000004", "Fibrosis", []),
    ("C0000005", "Fit", ["Epileptic fit", "Being fit", "Fitness"]),
    ("OMIM:613722", "Developmental and epileptic encephalopathy, 12", []),
    ("OMIM:100000", "FOCAL DYSTONIA OF THE HAND", []),
    ("HP:0000001", "Neutropenia (severe)", []),
    ("NCBIGene:7454", "WAS", []),
]


def table(rows: Sequence[tuple[str, str, list[str]]]) -> pl.DataFrame:
    return normalise_concepts(
        pl.DataFrame(
            [(*row, ["T000" if row[0].startswith("C") else "T111"], None) for row in rows],
            schema=CONCEPTS,
            orient="row",
        )
    )


def linker(rows=ROWS, **config) -> Linker:
    link = LinkConfig(**config)
    return Linker(build_dictionary(keep_concepts(table(rows), link), link)[0], link)


def found(text: str, **config) -> list[tuple[str, str]]:
    mentions = linker(**config).link(text)
    return [(text[m.start : m.end], m.candidates[0].cui) for m in mentions]


class TestNames:
    def test_the_longest_name_wins(self):
        text = "He has cystic fibrosis and fibrosis."
        assert found(text) == [("cystic fibrosis", "C0000002"), ("fibrosis", "C0000004")]

    def test_name_with_punctuation_is_found_and_the_question_around_it_is_not(self):
        text = "Which of these is a finding in Developmental and epileptic encephalopathy, 12?"
        assert found(text) == [("Developmental and epileptic encephalopathy, 12", "OMIM:613722")]

    def test_case_plural_and_punctuation_do_not_matter(self):
        text = "SEIZURES; seizure / Cystic-Fibrosis"
        assert [cui for _, cui in found(text)] == ["C0000001", "C0000001", "C0000002"]

    def test_no_name_starts_or_ends_inside_a_word(self):
        assert found("Seizureless fibrosisate and myfibrosis") == []

    def test_short_all_caps_name_needs_its_case(self):
        assert found("This was WAS.") == [("WAS", "NCBIGene:7454")]

    def test_shouted_text_is_read_as_lower_case(self):
        assert found("THE FIBROSIS WAS SEVERE") == [("FIBROSIS", "C0000004")]

    @pytest.mark.parametrize("name", ["FOCAL DYSTONIA OF THE HAND", "focal dystonia of the hand"])
    def test_shouted_name_is_found_both_ways(self, name):
        assert found(f"It is {name}.") == [(name, "OMIM:100000")]

    def test_closing_bracket_belongs_to_the_name_that_opens_it(self):
        text = "neutropenia (severe) (or neutropenia (severe))"
        assert [name for name, _ in found(text)] == ["neutropenia (severe)"] * 2

    def test_generic_words_are_no_names(self):
        assert "finding" in GENERIC
        assert found("A finding.") == []


class TestCandidates:
    def test_preferred_name_beats_synonym(self):
        [mention] = linker([("C1", "Cold", []), ("C0", "Rhinitis", ["Cold"])]).link("cold")
        assert [candidate.cui for candidate in mention.candidates] == ["C1", "C0"]

    def test_concept_with_more_names_is_commoner(self):
        [mention] = linker().link("epileptic fit")
        assert [candidate.cui for candidate in mention.candidates] == ["C0000005", "C0000001"]
        first, second = mention.candidates
        assert 1 >= first.score > second.score > 0

    def test_order_of_rows_does_not_matter(self):
        text = "Cystic fibrosis, epileptic fit, WAS."
        assert linker(ROWS[::-1]).link(text) == linker().link(text)

    def test_number_of_candidates_is_bounded(self):
        [mention] = linker(max_candidates=1).link("epileptic fit")
        assert len(mention.candidates) == 1


class TestFilters:
    def test_type_filters_before_ranking(self):
        assert found("WAS or fibrosis", semantic_types=("T111",)) == [("WAS", "NCBIGene:7454")]

    def test_sources_are_the_prefixes_of_ids(self):
        assert found("WAS or fibrosis", sources=("UMLS",)) == [("fibrosis", "C0000004")]

    def test_longer_name_of_a_dropped_concept_does_not_hide_a_shorter_one(self):
        kept = keep_concepts(table(ROWS), LinkConfig(), ["C0000004"])
        link = Linker(build_dictionary(kept, LinkConfig())[0], LinkConfig())
        [mention] = link.link("cystic fibrosis")
        assert (mention.start, mention.end) == (7, 15)

    def test_nothing_left_is_an_error(self):
        with pytest.raises(InputError, match="no concept of 9 is left"):
            keep_concepts(table(ROWS), LinkConfig(semantic_types=("T111",), sources=("UMLS",)))

    @pytest.mark.parametrize(
        ("config", "message"),
        [
            ({"semantic_types": ("T111", "T00")}, "semantic_types.*'T00'.*known: T000, T111"),
            ({"sources": ("HP", "OMM")}, "sources.*'OMM'.*known: HP, NCBIGene, OMIM, UMLS"),
        ],
    )
    def test_a_misspelt_one_beside_a_good_one_is_named(self, config, message):
        with pytest.raises(InputError, match=rf"unknown .*link\.{message}"):
            keep_concepts(table(ROWS), LinkConfig(**config))


class TestBadInput:
    @pytest.mark.parametrize("text", ["", " \n\t", "?!", "\x00\x01\x1b", "\ud800", "😀👩‍⚕️"])
    def test_text_without_words(self, text):
        assert linker().link(text) == []

    @pytest.mark.parametrize(
        "around", ["\x00{}\x07", "😀{}👩‍⚕️", "\u202eمرض {} מחלה\u202c", "\u2028{}\u0085", "\ud800{}"]
    )
    def test_offsets_count_characters_whatever_stands_around(self, around):
        text = around.format("cystic fibrosis")
        assert found(text) == [("cystic fibrosis", "C0000002")]

    @pytest.mark.parametrize("form", ["NFC", "NFD"])
    def test_accents_may_stand_behind_their_letters(self, form):
        text = unicodedata.normalize(form, "Has Sjögren syndrome?")
        mentions = linker([("C0000001", "Sjögren syndrome", [])]).link(text)
        assert [text[m.start : m.end] for m in mentions] == [text[4:-1]]

    def test_thousands_of_mentions_in_a_megabyte(self):
        text = "cystic fibrosis, fits; " * 45_000
        assert len(text) > 1_000_000
        mentions = linker().link(text)
        assert len(mentions) == 90_000
        assert all(a.end <= b.start for a, b in pairwise(mentions))

    def test_a_megabyte_without_a_space(self):
        assert linker().link("x" * 1_000_000) == []


class TestFile:
    def test_linker_read_back_links_the_same(self, tmp_path):
        made = linker()
        about = {"config": made.config.model_dump(mode="json")}
        write_dictionary(tmp_path / "linker", made.dictionary, about)
        text = "Cystic fibrosis, epileptic fit, WAS."
        assert Linker.load(tmp_path / "linker").link(text) == made.link(text) != []

    def test_another_folder_is_refused(self, tmp_path):
        with pytest.raises(InputError, match="not a linker's folder"):
            read_dictionary(tmp_path)


LETTERS = st.characters(categories=("Lu", "Ll", "Lo", "Nd"))
SEPARATOR = st.sampled_from([" ", "-", ", ", "/", "'", " (", "_"])
NAME = st.tuples(
    st.text(LETTERS, min_size=1, max_size=8),
    st.lists(st.tuples(SEPARATOR, st.text(LETTERS, min_size=1, max_size=8)), max_size=4),
).map(lambda parts: parts[0] + "".join(a + b for a, b in parts[1]))


class TestPlantedNames:
    @settings(max_examples=60, deadline=None)
    @given(st.lists(NAME, min_size=1, max_size=5), st.data())
    def test_every_planted_name_is_found_at_its_offsets(self, names, data):
        # A word of its own in front keeps one name from being another's beginning.
        names = [f"x{number}y {name}" for number, name in enumerate(names)]
        made = linker([(f"C{number}", name, []) for number, name in enumerate(names)])
        text, expected = "in a text that does not shout", []
        for number, name in data.draw(st.permutations(list(enumerate(names)))):
            text += " ; "
            expected.append((len(text), len(text) + len(name), f"C{number}"))
            text += name + " ; ;;"
        mentions = {(m.start, m.end): {c.cui for c in m.candidates} for m in made.link(text)}
        for start, end, cui in expected:
            assert cui in mentions[start, end]
