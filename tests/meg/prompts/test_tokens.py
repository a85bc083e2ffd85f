import pytest
from transformers import AutoTokenizer

from kg.shared.errors import InputError
from meg.config import PromptConfig
from meg.datasets.question import Mentions, Question
from meg.prompts.tokens import Tokens, say_longer
from meg.prompts.wording import Prompt, name_prompt
from tests.meg.conftest import byte_tokenizer
from tests.meg.prompts.test_wording import NEIGHBOURS, QUESTION, known, mention

CONTEXT = "Fever is common. " * 20


@pytest.fixture
def tokens():
    return Tokens(byte_tokenizer(), system="Answer.")


def text(tokens, example):
    return tokens.tokenizer.decode(example.prefix)


class TestPrefix:
    def test_is_the_chat_with_its_system_message(self, tokens):
        found = tokens.question_example(QUESTION, PromptConfig(concepts="none"), bool)
        assert text(tokens, found).startswith("<|system|>Answer.<|end|><|user|>Is fever a")
        assert text(tokens, found).endswith("<|end|><|assistant|>")

    def test_merges_the_system_message_where_the_template_refuses_it(self, tokens):
        refuse = "{% if messages[0].role == 'system' %}{{ raise_exception('no') }}{% endif %}"
        tokens.tokenizer.chat_template = refuse + tokens.tokenizer.chat_template
        found = tokens.question_example(QUESTION, PromptConfig(concepts="none"), bool)
        assert text(tokens, found).startswith("<|user|>Answer.\n\nIs fever a")

    def test_does_not_change_with_the_day(self):
        tokenizer = byte_tokenizer()
        tokenizer.chat_template = "{{ strftime_now('%d %b %Y') }}" + tokenizer.chat_template
        for _ in range(2):  # a tokenizer may have been wrapped before
            tokens = Tokens(tokenizer)
        found = tokens.question_example(QUESTION, PromptConfig(concepts="none"), bool)
        assert text(tokens, found).startswith("26 Jul 2024<|user|>Is fever a")

    def test_is_plain_text_without_a_template(self, tokens):
        tokens.tokenizer.chat_template = None
        found = tokens.question_example(QUESTION, PromptConfig(concepts="none"), bool)
        assert text(tokens, found).startswith("Answer.\nIs fever a")
        assert text(tokens, found).endswith("\nAnswer:")
        assert tokens.tokenizer.decode(found.branches[0]) == " A"


class TestPlaceholders:
    def test_one_a_concept_behind_the_published_vocabulary(self, tokens, base):
        example = tokens.name_example(name_prompt([("C1", "Fever"), ("C2", "Flu")]))
        assert example.prefix.count(tokens.placeholder) == 2
        assert tokens.placeholder >= len(AutoTokenizer.from_pretrained(base))

    def test_the_answer_ends_the_turn(self, tokens):
        example = tokens.name_example(name_prompt([("C1", "Fever")]))
        assert example.branches[0][-1] == tokens.tokenizer.eos_token_id
        assert tokens.tokenizer.decode(example.names[0]) == " Fever"


class TestVerdicts:
    def test_that_begin_alike_are_refused(self):
        """A byte tokenizer makes of " Yes" and " No" first of all the space."""
        spaced = Tokens(byte_tokenizer())
        with pytest.raises(InputError, match="the same token"):
            _ = spaced.verdicts


class TestLongContext:
    def question(self):
        mentions = Mentions(
            stem=QUESTION.mentions.stem,
            context=(mention(CONTEXT, "common", ("C5", 0.9)),),
            options=QUESTION.mentions.options,
        )
        return QUESTION.model_copy(update={"context": CONTEXT, "mentions": mentions})

    def test_is_cut_from_its_end_and_the_question_never(self, tokens):
        config = PromptConfig(max_tokens=130)
        found = tokens.question_example(self.question(), config, bool)
        assert found.shortened
        assert len(found) <= 130
        assert "Fever is common" in text(tokens, found)
        assert "a finding in flu" in text(tokens, found)
        assert set(found.cuis) == {"C5", "C1", "C9"}

    def test_loses_the_concepts_it_held(self, tokens):
        bare = self.question().model_copy(update={"context": ""})
        enough = len(tokens.question_example(bare, PromptConfig(), bool)) + 5
        found = tokens.question_example(self.question(), PromptConfig(max_tokens=enough), bool)
        assert "Feve" in text(tokens, found)
        assert set(found.cuis) == {"C1", "C9"}

    def test_loses_its_triplets_first(self, tokens):
        question = self.question().model_copy(update={"neighbours": NEIGHBOURS})
        config = PromptConfig(triplets=2, max_tokens=500)
        whole = tokens.question_example(question, config, known)
        assert not whole.shortened
        assert "Flu has cough." in text(tokens, whole)
        config = PromptConfig(triplets=2, max_tokens=len(whole) - 30)
        found = tokens.question_example(question, config, known)
        assert found.shortened
        assert "Fever is a sign." not in text(tokens, found)
        assert CONTEXT[20:] in text(tokens, found)

    def test_a_question_too_long_by_itself_stays_whole(self, tokens):
        found = tokens.question_example(self.question(), PromptConfig(max_tokens=32), bool)
        assert "Is fever" in text(tokens, found)
        assert "common" not in text(tokens, found)


class TestGoldOnly:
    def test_cuts_what_the_question_with_all_options_loses(self, tokens):
        question = Question(
            id="q", stem="Which?", context=CONTEXT, options=("a", "b" * 40), answer=0
        )
        config = PromptConfig(answer="text", max_tokens=200)
        learned = tokens.question_example(question, config, bool, gold_only=True)
        assert learned.prefix == tokens.question_example(question, config, bool).prefix
        assert learned.shortened

    def test_keeps_the_right_option_alone(self, tokens):
        question = Question(id="q", stem="Which?", options=("a", "b"), answer=1)
        config = PromptConfig(answer="text", list_options=False)
        found = tokens.question_example(question, config, bool, gold_only=True)
        assert found.gold == 0
        assert tokens.tokenizer.decode(found.branches[0]) == " b<|end|>"


class TestLongestOfTheLLM:
    """It bounds a prompt with its longest branch, or with what is written behind it."""

    def tokens(self, longest):
        return Tokens(byte_tokenizer(), longest=longest)

    def question(self, context=""):
        return Question(id="q7", stem="Which?" * 9, context=context, options=("a", "bb"), answer=1)

    @pytest.mark.parametrize("room", [0, 20])
    def test_a_context_is_cut_to_fit(self, room):
        config = PromptConfig(max_tokens=10_000)
        found = self.tokens(120).question_example(self.question(CONTEXT), config, bool, room=room)
        assert found.shortened
        assert 100 < len(found.prefix) + (room or len(found.branches[1])) <= 120

    def test_a_question_without_context_is_refused(self):
        config = PromptConfig(answer="text")
        fits = self.tokens(10_000).question_example(self.question(), config, bool)
        reach = len(fits.prefix) + max(map(len, fits.branches))
        assert not self.tokens(reach).question_example(self.question(), config, bool).shortened
        with pytest.raises(InputError, match=f"'q7' takes {reach} tokens .* reads {reach - 1}"):
            self.tokens(reach - 1).question_example(self.question(CONTEXT), config, bool)

    def test_room_for_an_answer_is_kept(self):
        prompt = Prompt("q", "Why?", (), ())
        length = len(self.tokens(None).open_example(prompt))
        assert len(self.tokens(length + 9).open_example(prompt, room=9)) == length
        with pytest.raises(InputError, match=f"takes {length + 9} tokens"):
            self.tokens(length + 8).open_example(prompt, room=9)


def test_questions_over_max_tokens_are_counted(tokens, caplog):
    questions = [Question(id=s, stem=s, options=("a", "b"), answer=0) for s in ("s", "long" * 20)]
    examples = [tokens.question_example(one, PromptConfig(), bool) for one in questions]
    say_longer(examples, len(examples[1]))
    assert not caplog.text
    say_longer(examples, len(examples[0]))
    assert f"1 of 2 questions are longer than prompt.max_tokens {len(examples[0])}" in caplog.text
