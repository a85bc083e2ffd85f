"""A whole column of names gets the keys that each has alone, and its candidates in order."""

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kg.config import LinkConfig
from kg.linking.build import _keyed, build_dictionary
from kg.linking.dictionary import PRIORS
from kg.linking.normalise import key_of
from tests.kg.linking.test_linker import linker, table

NAME = st.text(st.sampled_from("aeisxAS19 -_.'\x00\n(éßµ中Σ"), max_size=12)


class TestKeys:
    @settings(max_examples=200, deadline=None)
    @given(st.lists(NAME, max_size=6))
    @example(["1'S", "Alzheimer's disease"])
    def test_column_has_the_keys_of_its_names(self, names):
        rows = pl.DataFrame(
            {"concept": range(len(names)), "name": names},
            schema={"concept": pl.UInt32, "name": pl.String},
        )
        keyed, words = _keyed(rows)
        keys = list(map(key_of, names))
        assert sorted(keyed.rows()) == list(enumerate(keys))
        assert set(words) - {""} == {word for key in keys for word in key.split()}

    def test_words_are_those_of_names_and_of_the_corpus(self):
        concepts = table([("C1", "Cystic pneumonias", []), ("C2", "Fièvre épileptique", [])])
        priors = pl.DataFrame([("mucoviscidosis ", "C1", 3, 0.5)], schema=PRIORS, orient="row")
        words = build_dictionary(concepts, LinkConfig(), priors)[0].words
        assert set(words) == {"pneumonia", "mucoviscidosis", "epileptique"}


class TestShares:
    def test_mentions_are_added_to_the_vocabularys_one(self):
        concepts = table([("C1", "Cold", []), ("C2", "Rhinitis", ["Cold"]), ("C3", "Fever", [])])
        priors = pl.DataFrame(
            [("cold ", "C2", 3, 0.5), ("fever ", "C3", 2, 0.5), ("fever ", "C1", 1, 0.5)],
            schema=PRIORS,
            orient="row",
        )
        dictionary = build_dictionary(concepts, LinkConfig(), priors)[0]
        # "Cold" is C1's only name, preferred: 2 log 2; of C2's two names the second: log 3.
        opinion = 2 * 0.6931 / (2 * 0.6931 + 1.0986)
        cold = dict(dictionary.candidates(dictionary.names["cold "]))
        assert cold == pytest.approx({"C2": (3 + 1 - opinion) / 4, "C1": opinion / 4}, abs=1e-3)
        fever = dictionary.candidates(dictionary.names["fever "])
        assert [cui for cui, _ in fever] == ["C3", "C1"]
        assert dict(fever) == pytest.approx({"C3": 3 / 4, "C1": 1 / 4}, abs=1e-3)

    def test_name_of_the_corpus_alone(self):
        priors = pl.DataFrame([("chill ", "C1", 2, 0.5)], schema=PRIORS, orient="row")
        dictionary = build_dictionary(table([("C1", "Cold", [])]), LinkConfig(), priors)[0]
        assert dictionary.candidates(dictionary.names["chill "]) == [("C1", 1.0)]

    def test_concept_with_a_name_twice_counts_once(self):
        made = linker([("C1", "Cold", ["colds"]), ("C2", "Cold", [])])
        [mention] = made.link("cold")
        assert [candidate.cui for candidate in mention.candidates] == ["C1", "C2"]
