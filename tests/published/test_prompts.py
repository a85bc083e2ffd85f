"""A question in the style of the paper: the block of vectors, the list, and what is to be written.

The published MedQA target is the letter, a bracket, the option's text and the end of text.
"""

import pytest

from meg.config import PromptConfig
from meg.datasets.question import Mentions, Question
from meg.prompts.parse import chosen_option
from meg.prompts.tokens import Tokens
from meg.prompts.wording import MARKER, open_prompt, question_prompt
from tests.meg.conftest import byte_tokenizer
from tests.meg.prompts.test_wording import mention

STEM, CONTEXT = "Which drug lowers cholesterol?", "A man has gout."
QUESTION = Question(
    id="q1",
    stem=STEM,
    context=CONTEXT,
    options=("Aspirin", "Ezetimibe"),
    answer=1,
    mentions=Mentions(
        stem=(mention(STEM, "cholesterol", ("C2", 1.0)),),
        context=(mention(CONTEXT, "gout", ("C1", 1.0)),),
        options=((), (mention("Ezetimibe", "Ezetimibe", ("C3", 1.0)),)),
    ),
)

GOLDEN = {
    "paper": (
        f"Answer.\nConcepts: {MARKER}{MARKER}\nA man has gout.\nWhich drug lowers cholesterol?\n"
        "A) Aspirin\nB) Ezetimibe",
        {"text": "Ezetimibe", "letter": "B", "letter+text": "B) Ezetimibe"},
    ),
    "ours": (
        f"Answer.\nA man has gout{MARKER}.\nWhich drug lowers cholesterol{MARKER}?\n"
        "A. Aspirin\nB. Ezetimibe",
        {"text": "Ezetimibe", "letter": "B", "letter+text": "B. Ezetimibe"},
    ),
}


def known(_):
    return True


@pytest.mark.parametrize("style", GOLDEN)
class TestQuestion:
    @pytest.mark.parametrize("answer", ["text", "letter", "letter+text"])
    def test_its_prompt_and_its_target(self, style, answer):
        user, targets = GOLDEN[style]
        config = PromptConfig(style=style, instruction="Answer.", answer=answer)
        found = question_prompt(QUESTION, config, known)
        assert found.user == user
        assert found.cuis == ("C1", "C2")
        assert found.branches[found.gold] == targets[answer]

    @pytest.mark.parametrize("answer", ["text", "letter+text"])
    def test_the_target_ends_the_turn(self, style, answer):
        tokens = Tokens(byte_tokenizer())
        config = PromptConfig(style=style, answer=answer)
        learned = tokens.question_example(QUESTION, config, known, gold_only=True)
        written = tokens.tokenizer.decode(learned.branches[0])
        assert written == f" {GOLDEN[style][1][answer]}<|end|>"

    def test_what_was_learned_is_read_as_the_option(self, style):
        config = PromptConfig(style=style, answer="letter+text", list_options=False)
        for number, text in enumerate(question_prompt(QUESTION, config, known).branches):
            assert chosen_option(text, QUESTION.options, config) == number


class TestBlock:
    def test_has_the_options_concepts_too_and_they_no_marker(self):
        config = PromptConfig(style="paper", concepts="question+options", answer="letter+text")
        found = question_prompt(QUESTION, config, known)
        assert found.user.startswith(f"Concepts: {MARKER * 3}\nA man has gout.")
        assert found.cuis == ("C1", "C2", "C3")
        assert not any(MARKER in branch for branch in found.branches)

    def test_is_left_out_where_there_is_no_concept(self):
        config = PromptConfig(style="paper", concepts="none")
        assert question_prompt(QUESTION, config, known).user.startswith("A man has gout.")

    def test_stands_before_a_question_without_options(self):
        config = PromptConfig(style="paper")
        found = open_prompt(STEM, QUESTION.mentions.stem, config, known)
        assert found.user == f"Concepts: {MARKER}\n{STEM}"
        assert open_prompt(STEM, (), config, known).user == STEM
