import pytest

from kg.mention import Candidate, Mention
from meg.config import PromptConfig
from meg.prompts import MARKER, name_prompt, question_prompt
from meg.question import Mentions, Question


def mention(text, words, *candidates):
    start = text.index(words)
    found = [Candidate(cui=cui, score=score) for cui, score in candidates]
    return Mention(start=start, end=start + len(words), candidates=tuple(found))


STEM = "Is fever a finding in flu?"
QUESTION = Question(
    id="q1",
    stem=STEM,
    options=("cough", "gout"),
    answer=0,
    mentions=Mentions(
        stem=(mention(STEM, "fever", ("C1", 0.5)), mention(STEM, "flu", ("C9", 1.0), ("C2", 0.9))),
        options=((mention("cough", "cough", ("C3", 1.0)),), ()),
    ),
)


def known(cui):
    return cui != "C9"


def prompt(**settings):
    return question_prompt(QUESTION, PromptConfig(**settings), known)


class TestQuestionConcepts:
    def test_stand_behind_their_words_in_the_order_of_the_text(self):
        found = prompt(list_options=False, answer="text")
        assert found.user == f"Is fever{MARKER} a finding in flu{MARKER}?"
        assert found.cuis == ("C1", "C2")
        assert found.branches == ("cough", "gout")

    def test_the_best_are_kept(self):
        found = prompt(list_options=False, answer="text", max_concepts=1)
        assert found.user == f"Is fever a finding in flu{MARKER}?"
        assert found.cuis == ("C2",)

    def test_a_candidate_without_vector_gives_way_to_the_next(self):
        assert "C9" not in prompt().cuis

    def test_a_text_only_prompt_has_no_trace_of_them(self):
        found = prompt(concepts="none", list_options=False)
        assert found.user == STEM
        assert found.cuis == ()


class TestOptionConcepts:
    def test_follow_the_option_in_yes_no_branches(self):
        found = prompt(concepts="question+options", answer="yesno", list_options=False)
        assert found.branches == (f"cough{MARKER}?", "gout?")
        assert found.cuis == ("C1", "C2", "C3")

    def test_follow_the_option_in_the_list(self):
        found = prompt(concepts="question+options")
        assert found.user.endswith(f"A. cough{MARKER}\nB. gout")
        assert found.branches == ("A", "B")


class TestMarkerInData:
    def test_is_removed(self):
        question = QUESTION.model_copy(update={"stem": f"What{MARKER}?", "mentions": None})
        found = question_prompt(question, PromptConfig(list_options=False), known)
        assert found.user == "What?"


class TestNamePrompt:
    @pytest.mark.parametrize("count", [1, 3])
    def test_has_one_marker_a_concept(self, count):
        found = name_prompt([(f"C{i}", f"name {i}") for i in range(count)])
        assert found.user.count(MARKER) == count == len(found.cuis)
        assert found.branches == ("; ".join(found.names),)
