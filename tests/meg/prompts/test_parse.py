import pytest

from meg.config import PromptConfig
from meg.prompts.parse import chosen_option

OPTIONS = ("a fever", "Gout", "cough")


class TestLetters:
    @pytest.mark.parametrize(
        "text",
        [
            "B",
            "B.",
            "b)",
            "(B)",
            "B: Gout",
            "Answer: B",
            "The correct answer is (B).",
            "B\nAs gout",
            "B. A fever would not swell a joint (B).",
            "(B) (B)",
            "B. Gout\n\nThe patient has a fever because",
        ],
    )
    def test_are_read(self, text):
        assert chosen_option(text, OPTIONS, PromptConfig()) == 1

    @pytest.mark.parametrize(
        "text",
        [
            "A fever is likely",
            "D",
            "I think B",
            "",
            "B or C",
            "Because",
            "(B",
            "AB",
            "(A) (B)",
            "The answer is (A) or (B)",
            "A. or B.",
            "A) is wrong, B",
            "B, C",
            "(A), (C)",
        ],
    )
    def test_are_not_guessed(self, text):
        assert chosen_option(text, OPTIONS, PromptConfig()) is None

    def test_mean_nothing_where_none_was_listed(self):
        assert chosen_option("B", OPTIONS, PromptConfig(list_options=False)) is None

    @pytest.mark.parametrize(
        "text", ["A. Vitamin C", "A. vitamin  C, because", "A) Vitamin C\n\nThe patient"]
    )
    def test_in_the_options_own_text_name_no_other(self, text):
        options = ("Vitamin C", "Vitamin D", "Vitamin K")
        assert chosen_option(text, options, PromptConfig()) == 0

    @pytest.mark.parametrize(
        "text", ["A. Vitamin C or B", "A. Vitamin D or C.", "A. Vitamin C or C"]
    )
    def test_behind_it_name_another(self, text):
        options = ("Vitamin C", "Vitamin D", "Vitamin K")
        assert chosen_option(text, options, PromptConfig()) is None


class TestTexts:
    def test_go_before_letters_where_texts_were_asked_for(self):
        groups = ("O", "A", "B", "AB")
        assert chosen_option("A", groups, PromptConfig(answer="text")) == 1
        assert chosen_option("A", groups, PromptConfig()) == 0

    @pytest.mark.parametrize("text", ["gout", " Gout. ", "GOUT\n"])
    def test_may_differ_in_case_and_space(self, text):
        assert chosen_option(text, OPTIONS, PromptConfig(answer="text")) == 1

    def test_must_be_whole(self):
        assert chosen_option("gout and cough", OPTIONS, PromptConfig(answer="text")) is None

    def test_of_two_equal_options_name_neither(self):
        assert chosen_option("gout", ("gout", "Gout"), PromptConfig(answer="text")) is None
