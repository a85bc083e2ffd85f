from collections import Counter

import numpy as np
import pytest

from kg.shared.errors import InputError
from meg.datasets.quiz import build
from meg.datasets.quizgraph import Kind, QuizGraph
from meg.datasets.quizkinds import graph_kinds
from meg.datasets.settings import GraphQuizConfig, Words
from meg.datasets.shortcuts import RULES
from tests.meg.datasets.test_quiz import ends, facts, tables, word

DRUGS, ILLS, SIGNS = 90, 120, 90
SIZES = {"train": 120, "dev": 8, "test": 80}


@pytest.fixture(scope="module")
def graph():
    """Drugs treat illnesses, or signs; two relations with too little to ask; a symmetric one."""
    rng = np.random.default_rng(3)
    concepts = [(f"D{i}", word(rng), "drug") for i in range(DRUGS)]
    concepts += [(f"I{i}", word(rng), "illness") for i in range(ILLS)]
    concepts += [(f"S{i}", word(rng), "sign") for i in range(SIGNS)]
    triplets = []
    for i in range(ILLS):
        for one in rng.choice(DRUGS, size=3, replace=False):
            triplets.append((f"D{one}", "may_treat", f"I{i}"))
        for one in rng.choice(SIGNS, size=3, replace=False):
            triplets.append((f"I{i}", "has_sign", f"S{one}"))
        triplets.append((f"I{i}", "is_of", f"S{i % 5}"))
    triplets += [(f"D{i}", "may_treat", f"S{i}") for i in range(DRUGS)]
    triplets += [(f"D{i}", "is_rare_with", f"D{i + 1}") for i in range(10)]
    for i in range(0, DRUGS, 2):
        for j in (i + 1, (i + 3) % DRUGS):
            triplets += [(f"D{i}", "resembles", f"D{j}"), (f"D{j}", "resembles", f"D{i}")]
    return tables(concepts, triplets)


@pytest.fixture(scope="module")
def quiz(graph):
    return build(GraphQuizConfig(**SIZES), *graph)


class TestKinds:
    def test_those_with_enough_facts_are_asked(self, quiz):
        assert set(Counter(question.kind for question in quiz.train)) == {
            *("may_treat:tail", "may_treat:head", "has_sign:tail", "has_sign:head"),
            "resembles:tail",
        }

    def test_the_others_are_named_with_the_reason(self, quiz):
        assert quiz.facts["not_asked"] == {
            "is_rare_with:tail": "has 10 facts, 40 are missing",
            "is_rare_with:head": "has 10 facts, 40 are missing",
            "is_of:tail": "has 5 different answers, 19 are missing",
            "is_of:head": "asks about 5 concepts, 19 are missing",
            "resembles:head": "says the same as resembles:tail",
        }

    def test_the_configuration_chooses(self, graph):
        view = QuizGraph(*graph, 60)

        def names(**settings):
            kinds, _ = graph_kinds(GraphQuizConfig(**settings), view)
            return {kind.name for kind in kinds}

        assert names(kinds=("has_sign:head", "resembles")) == {"has_sign:head", "resembles:tail"}
        assert names(most_kinds=1) == {"has_sign:tail"} or names(most_kinds=1) == {"may_treat:head"}
        with pytest.raises(InputError, match="no relation 'cures' to be asked about, only"):
            graph_kinds(GraphQuizConfig(kinds=("cures",)), view)
        with pytest.raises(InputError, match="no relation of the graph can be asked about"):
            graph_kinds(GraphQuizConfig(min_facts=1000), view)

    def test_words_are_given_or_made(self, graph):
        config = GraphQuizConfig(wording={"may_treat": Words(head="What helps against {name}?")})
        kinds, _ = graph_kinds(config, QuizGraph(*graph, 60))
        wording = {kind.name: kind.wording for kind in kinds}
        assert wording["may_treat:head"] == "What helps against {name}?"
        assert wording["may_treat:tail"] == "{name} may treat which of these?"

    @pytest.mark.parametrize("text", ["Which?", "Which {name} of {other}?", "{name} }"])
    def test_words_need_the_name(self, text):
        with pytest.raises(ValueError, match="no other braces"):
            Words(head=text)


class TestRightAndWrong:
    def test_only_the_answer_is_true_and_all_have_its_type(self, quiz, graph):
        concepts, triplets = graph
        types = dict(zip(concepts["cui"], concepts["semantic_types"], strict=True))
        for question in (*quiz.train, *quiz.dev, *quiz.test):
            relation, answering = question.kind.split(":")
            known = facts(triplets, relation)
            subject, options = ends(question, concepts)
            for i, option in enumerate(options):
                fact = (subject, option) if answering == "tail" else (option, subject)
                assert (fact in known) == (i == question.answer)
            assert len({types[option][0] for option in options}) == 1

    def test_what_another_relation_says_is_no_distractor(self):
        rng = np.random.default_rng(1)
        concepts = [(f"A{i}", word(rng), "a") for i in range(40)]
        concepts += [(f"B{i}", word(rng), "b") for i in range(40)]
        triplets = [(f"A{i}", "eats", f"B{i}") for i in range(40)]
        triplets += [(f"A{i}", "sees", f"B{(i + j) % 40}") for i in range(40) for j in (1, 2, 3)]
        graph = tables(concepts, triplets)
        config = GraphQuizConfig(train=0, dev=0, test=10, kinds=("eats",), min_facts=20)
        seen = facts(graph[1], "sees")
        for question in build(config, *graph).test:
            subject, options = ends(question, graph[0])
            assert not {(subject, one) for one in options} & seen
            assert not {(one, subject) for one in options} & seen

    def test_what_is_true_of_a_more_general_concept_is_no_distractor(self):
        rng = np.random.default_rng(2)
        concepts = [(f"A{i}", word(rng), "a") for i in range(60)]
        concepts += [(f"B{i}", word(rng), "b") for i in range(60)]
        triplets = [(f"A{i}", "is_a", "A0") for i in range(1, 60)]
        triplets += [(f"A{i}", "eats", f"B{i}") for i in range(1, 60)]
        triplets += [("A0", "eats", f"B{i}") for i in range(20)]
        graph = tables(concepts, triplets)
        config = GraphQuizConfig(train=0, dev=0, test=12, kinds=("eats:tail",), min_facts=20)
        for question in build(config, *graph).test:
            _, options = ends(question, graph[0])
            wrong = [one for i, one in enumerate(options) if i != question.answer]
            assert all(int(one[1:]) >= 20 for one in wrong)


class TestSplits:
    def test_test_subjects_occur_nowhere_in_training(self, quiz, graph):
        trained = set()
        for question in quiz.train:
            subject, options = ends(question, graph[0])
            trained |= {subject, *options}
        for held in (quiz.test, quiz.dev):
            assert not {ends(question, graph[0])[0] for question in held} & trained

    def test_training_asks_about_a_concept_in_several_kinds(self, quiz, graph):
        subjects = [ends(question, graph[0])[0] for question in quiz.train]
        assert len(set(subjects)) < len(subjects)
        assert len({question.id for question in quiz.train}) == len(quiz.train)

    def test_the_seed_decides(self, quiz, graph):
        assert build(GraphQuizConfig(**SIZES), *graph).test == quiz.test
        assert build(GraphQuizConfig(**SIZES, seed=1), *graph).test != quiz.test

    def test_too_small_a_graph_says_what_is_missing(self, graph):
        with pytest.raises(InputError, match=r"only \d+ of 900 test questions \(.*facts are miss"):
            build(GraphQuizConfig(train=0, dev=0, test=900), *graph)


class TestShortcuts:
    def test_every_rule_is_worth_chance(self, quiz):
        assert set(quiz.facts["shortcuts"]) == set(RULES)
        for accuracies in quiz.facts["shortcuts"].values():
            assert accuracies["all"] == pytest.approx(0.25, abs=0.03)


class TestWordsInCommon:
    def test_those_of_many_names_do_not_count(self):
        names = [(f"A{i}", f"{one} syndrome", "a") for i, one in enumerate(["Marfan", "Down"])]
        graph = tables([*names, *((f"B{i}", f"name{i}x", "a") for i in range(30))], [])
        assert QuizGraph(*graph, 60).similar_in_words(0) == {0, 1}
        assert QuizGraph(*graph, 60, common=0.05).similar_in_words(0) == {0}


def test_kinds_of_a_graph_take_any_type(graph):
    view = QuizGraph(*graph, 60)
    kind = Kind("may_treat:tail", "may_treat", "head", "{name}?")
    assert len(view.facts(kind)[0]) == 3 * ILLS + DRUGS
    typed = Kind("may_treat:tail", "may_treat", "head", "{name}?", ("drug", "sign"))
    assert len(view.facts(typed)[0]) == DRUGS
