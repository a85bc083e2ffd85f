import pytest

from kg.linking.mention import Candidate, Mention
from kg.shared.errors import InputError
from meg.config import PromptConfig
from meg.datasets.question import Mentions, Neighbours, Question
from meg.prompts.wording import MARKER, name_prompt, prompt_version, question_prompt, with_triplets


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


def test_more_options_than_letters_are_an_error_unless_none_is_read():
    many = QUESTION.model_copy(update={"options": ("cough",) * 27, "mentions": None})
    for answer, listed in (("letter", False), ("yesno", True), ("text", True)):
        with pytest.raises(InputError, match="q1 has 27 options, and there are 26 letters"):
            question_prompt(many, PromptConfig(answer=answer, list_options=listed), known)
    bare = PromptConfig(answer="text", list_options=False, concepts="none")
    assert len(question_prompt(many, bare, known).branches) == 27


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


NEIGHBOURS = {
    "C1": Neighbours(parents=("C9", "C4", "C5"), triplets=("Fever is a sign.", "Flu has fever.")),
    "C2": Neighbours(triplets=("Flu has fever.", "Flu has cough.")),
    "C3": Neighbours(parents=("C6",), triplets=("Cough is a sign.",)),
}
LINKED = QUESTION.model_copy(update={"neighbours": NEIGHBOURS})


class TestParents:
    def test_stand_behind_their_child_and_have_vectors(self):
        config = PromptConfig(
            parents=2, concepts="question+options", answer="yesno", list_options=False
        )
        found = question_prompt(LINKED, config, known)
        assert found.user == f"Is fever{MARKER * 3} a finding in flu{MARKER}?"
        assert found.branches == (f"cough{MARKER * 2}?", "gout?")
        assert found.cuis == ("C1", "C4", "C5", "C2", "C3", "C6")

    def test_need_the_graph(self):
        with pytest.raises(InputError, match=r"question q1 has no neighbours.*run meg\.neighbours"):
            prompt(parents=2)


def test_options_that_no_prompt_reads_have_no_place_for_concepts():
    config = PromptConfig(concepts="question+options", list_options=False, answer="text")
    with pytest.raises(InputError, match="in no prompt with list_options false and answer text"):
        question_prompt(QUESTION, config, known)


class TestTriplets:
    def test_follow_the_context_once_each_best_concept_first(self):
        question = LINKED.model_copy(update={"context": "Winter."})
        found = with_triplets(question, PromptConfig(triplets=2), known)
        assert found.context == "Winter.\nFlu has fever.\nFlu has cough.\nFever is a sign."

    def test_are_of_few_concepts_and_never_of_the_options(self):
        config = PromptConfig(triplets=1, triplet_concepts=1)
        assert with_triplets(LINKED, config, known).context == "Flu has fever."

    def test_need_the_graph(self):
        with pytest.raises(InputError, match="question q1 has no neighbours"):
            with_triplets(QUESTION, PromptConfig(triplets=2), known)


class TestMostConcepts:
    @pytest.mark.parametrize(("kind", "count"), [("anatomy", 1), ("genetics", 2), ("", 2)])
    def test_may_differ_by_kind(self, kind, count):
        question = QUESTION.model_copy(update={"kind": kind})
        config = PromptConfig(max_concepts={"anatomy": 1, "other": 2})
        assert len(question_prompt(question, config, known).cuis) == count

    def test_needs_a_number_for_the_other_kinds(self):
        with pytest.raises(ValueError, match="has no `other`"):
            PromptConfig(max_concepts={"anatomy": 1})


class TestVersion:
    @pytest.mark.parametrize(
        "change",
        [{"instruction": "Choose."}, {"list_options": False}, {"answer": "text"}],
        ids=lambda change: next(iter(change)),
    )
    def test_changes_with_the_wording(self, change):
        assert prompt_version(PromptConfig(**change)) != prompt_version(PromptConfig())

    def test_and_with_the_system_message(self):
        assert prompt_version(PromptConfig(), "Be brief.") != prompt_version(PromptConfig())

    def test_but_not_with_the_concepts(self):
        other = PromptConfig(concepts="none", max_concepts=3, parents=2, triplets=1)
        assert prompt_version(other) == prompt_version(PromptConfig())


class TestPooled:
    def test_one_marker_stands_behind_the_last_concept_of_a_text(self):
        found = prompt(pool="mean", list_options=False, answer="text")
        assert found.user == f"Is fever a finding in flu{MARKER}?"
        assert found.cuis == (("C1", "C2"),)

    def test_each_option_has_one_of_its_own(self):
        found = prompt(pool="mean", concepts="question+options", answer="yesno", list_options=False)
        assert found.branches == (f"cough{MARKER}?", "gout?")
        assert found.cuis == (("C1", "C2"), ("C3",))

    def test_parents_are_among_them(self):
        config = PromptConfig(pool="mean", parents=2, list_options=False, answer="text")
        found = question_prompt(LINKED, config, known)
        assert found.cuis == (("C1", "C4", "C5", "C2"),)

    def test_the_best_alone(self):
        found = prompt(pool="mean", list_options=False, answer="text", max_concepts=1)
        assert found.cuis == (("C2",),)

    def test_is_no_other_wording(self):
        assert prompt_version(PromptConfig(pool="mean")) == prompt_version(PromptConfig())
