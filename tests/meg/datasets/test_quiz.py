from collections import Counter

import numpy as np
import polars as pl
import pytest

from kg.graph.tables import CONCEPTS, TRIPLETS, normalise_concepts, normalise_triplets
from kg.shared.errors import InputError
from meg.datasets.quiz import build
from meg.datasets.quizgraph import QuizGraph
from meg.datasets.quizkinds import HPO, hpo_kinds
from meg.datasets.settings import HPOQuizConfig
from tests.kg.sources.phenopackets import packet, write_packets

PHENOTYPES, DISEASES, GENES = 150, 80, 60
SIZES = {"train": 40, "dev": 8, "test": 40}


def word(rng):
    """A word of 5 to 9 letters: no two agree in their first five, practically."""
    return "".join(rng.choice(list("abcdefghijklmnopqrstuvwxyz"), size=rng.integers(5, 10)))


def tables(concepts, triplets):
    """Tables from (cui, name, type) and (head, relation, tail)."""
    rows = [(cui, name, [], [kind], None) for cui, name, kind in concepts]
    concepts = normalise_concepts(pl.DataFrame(rows, schema=CONCEPTS, orient="row"))
    facts = pl.DataFrame([(*fact, "test") for fact in triplets], schema=TRIPLETS, orient="row")
    return concepts, normalise_triplets(facts, concepts)


@pytest.fixture(scope="module")
def graph():
    """A tree of phenotypes three deep; diseases with phenotypes and genes at random."""
    rng = np.random.default_rng(5)
    concepts = [(f"HP:{i:03}", word(rng), "phenotype") for i in range(PHENOTYPES)]
    concepts += [(f"OMIM:{i:03}", word(rng), "disease") for i in range(DISEASES)]
    concepts += [(f"NCBIGene:{i:03}", word(rng)[:6], "gene") for i in range(GENES)]
    triplets = [(f"HP:{i:03}", "is_a", f"HP:{(i - 1) // 5:03}") for i in range(1, PHENOTYPES)]
    for i in range(DISEASES):
        found = rng.choice(PHENOTYPES, size=rng.integers(1, 6), replace=False)
        triplets += [(f"OMIM:{i:03}", "has_phenotype", f"HP:{one:03}") for one in found]
        genes = rng.choice(GENES, size=rng.integers(1, 3), replace=False)
        triplets += [(f"NCBIGene:{one:03}", "gene_of_disease", f"OMIM:{i:03}") for one in genes]
    return tables(concepts, triplets)


@pytest.fixture(scope="module")
def features():
    return np.random.default_rng(6).normal(size=(PHENOTYPES + DISEASES + GENES, 16))


@pytest.fixture(scope="module")
def quiz(graph, features):
    return build(HPOQuizConfig(**SIZES), *graph, features)


def ends(question, concepts):
    """cui asked about, cuis of the options."""
    cui_of = dict(zip(concepts["name"], concepts["cui"], strict=True))
    subject = question.id.split("-", 2)[2]
    return subject, [cui_of[option] for option in question.options]


def facts(triplets, relation):
    rows = triplets.filter(pl.col("relation") == relation)
    return set(zip(rows["head"], rows["tail"], strict=True))


class TestRightAndWrong:
    def test_only_the_answer_is_true(self, quiz, graph):
        concepts, triplets = graph
        kinds = {kind.name: kind for kind in hpo_kinds(HPOQuizConfig())}
        for question in quiz.train + quiz.test:
            subject, options = ends(question, concepts)
            kind = kinds[question.kind]
            known = facts(triplets, kind.relation)
            for i, option in enumerate(options):
                fact = (subject, option) if kind.asked == "head" else (option, subject)
                if question.kind != "is_a":
                    assert (fact in known) == (i == question.answer)
                elif i != question.answer:
                    assert fact not in known

    def test_distractors_are_no_relatives_of_a_true_phenotype(self, quiz, graph):
        view = QuizGraph(*graph, 60)
        row = {cui: i for i, cui in enumerate(view.cuis)}
        for question in quiz.test:
            if question.kind == "phenotype":
                subject, options = ends(question, graph[0])
                wrong = {row[cui] for i, cui in enumerate(options) if i != question.answer}
                for disease, phenotype in facts(graph[1], "has_phenotype"):
                    if disease == subject:
                        true = row[phenotype]
                        assert not wrong & (view.above(true) | view.below(true))

    def test_kinds_and_positions_are_balanced(self, quiz):
        assert Counter(question.kind for question in quiz.test) == dict.fromkeys(HPO, 10)
        for questions in (quiz.train, quiz.test):
            counts = [sum(one.answer == position for one in questions) for position in range(4)]
            assert max(counts) - min(counts) <= len(HPO)


class TestSplits:
    def test_test_subjects_occur_nowhere_in_training(self, quiz, graph):
        trained = set()
        for question in quiz.train:
            subject, options = ends(question, graph[0])
            trained |= {subject, *options}
        held = {ends(question, graph[0])[0] for question in quiz.test + quiz.dev}
        assert len(held) == SIZES["test"] + SIZES["dev"]
        assert not held & trained

    def test_the_seed_decides(self, quiz, graph, features):
        assert build(HPOQuizConfig(**SIZES), *graph, features).test == quiz.test
        assert build(HPOQuizConfig(**SIZES, seed=1), *graph, features).test != quiz.test


class TestWithout:
    def test_no_question_names_a_disease_of_the_patients(self, graph, features, quiz, tmp_path):
        gone = {f"OMIM:{i:03}" for i in range(0, DISEASES, 2)}
        cases = [packet(str(i), cui, ("HP:001",)) for i, cui in enumerate(sorted(gone))]
        config = HPOQuizConfig(
            **SIZES | {"train": 20, "test": 12}, without=write_packets(tmp_path, cases)
        )
        found = build(config, *graph, features)
        named = {
            cui
            for question in (*found.train, *found.dev, *found.test)
            for subject, options in [ends(question, graph[0])]
            for cui in (subject, *options)
        }
        assert not gone & named
        assert any(cui.startswith("OMIM") for cui in named)

    def test_nor_one_of_another_catalogue_with_its_name(self):
        names = [("OMIM:1", "Gout", "disease"), ("ORPHA:1", "gouT", "disease")]
        view = QuizGraph(*tables([*names, ("OMIM:2", "Flu", "disease")], []), 20)
        view.nameable[:] = True
        view.forget({"OMIM:1"})
        assert dict(zip(view.cuis, view.nameable.tolist(), strict=True)) == {
            "OMIM:1": False,
            "OMIM:2": True,
            "ORPHA:1": False,
        }


class TestShortcuts:
    def test_nearness_of_names_is_worth_chance(self, graph, features):
        # One cue is balanced wherever the graph has three candidates on either side.
        splits = build(HPOQuizConfig(train=0, dev=0, test=100), *graph, features)
        balanced = splits.facts["balanced_cues"]["test"]
        assert balanced.get(0, 0) <= 5
        for rule in ("highest similarity", "lowest similarity"):
            assert splits.facts["shortcuts"][rule]["all"] == pytest.approx(0.25, abs=0.06)

    def test_without_features_letters_are_compared(self, graph):
        splits = build(HPOQuizConfig(train=0, dev=0, test=40), *graph)
        assert splits.facts["shortcuts"]["highest similarity"]["all"] <= 0.5


class TestNames:
    def graph(self, concepts):
        return QuizGraph(*tables(concepts, []), 20)

    def test_ambiguous_and_long_ones_are_not_used(self):
        view = self.graph(
            [
                ("A", "Gout", "disease"),
                ("B", "gout", "disease"),
                ("C", "Measles", "disease"),
                ("D", "A name of more than twenty letters", "disease"),
            ]
        )
        assert view.nameable.tolist() == [False, False, True, False]

    def test_words_that_begin_alike_are_shared(self):
        view = self.graph(
            [
                ("A", "Cardiac arrest", "phenotype"),
                ("B", "Cardiomyopathy", "phenotype"),
                ("C", "Arrest of the heart", "phenotype"),
                ("D", "Pain of the knee", "phenotype"),
                ("E", "MED13L-related pain", "disease"),
                ("F", "MED13L", "gene"),
            ]
        )
        assert view.similar_in_words(0) == {0, 1, 2}
        assert view.similar_in_words(5) == {4, 5}
        # "of" and "the" are no content.
        assert view.similar_in_words(3) == {3, 4}


class TestTooSmall:
    def test_says_how_many_there_are(self, graph):
        with pytest.raises(InputError, match=r"only \d+ of 1000 test questions \(disease: \d+\)"):
            build(HPOQuizConfig(train=0, dev=0, test=1000, wording={"disease": "{name}?"}), *graph)

    def test_without_the_relation(self):
        empty = tables([("A", "Gout", "disease")], [])
        with pytest.raises(InputError, match="only 0 of 4"):
            build(HPOQuizConfig(train=0, dev=0, test=4, wording={"gene": "{name}?"}), *empty)
