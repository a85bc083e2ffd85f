"""What a template must keep, and what is said of one that does not."""

import pytest

from kg.shared.errors import InputError
from meg.config import PromptConfig
from meg.prompts.chat import conversation, fix_day
from meg.prompts.tokens import Tokens
from meg.prompts.wording import MARKER
from tests.meg.conftest import byte_tokenizer
from tests.meg.prompts.test_wording import QUESTION

PARTS = (
    "{% for m in messages %}<|{{ m['role'] }}|>{% for part in m['content'] %}"
    "{% if part['type'] == 'text' %}{{ part['text'] }}{% endif %}{% endfor %}<|end|>{% endfor %}"
)
TEXT = "{% for m in messages %}<|{{ m['role'] }}|>{{ m['content'] }}<|end|>{% endfor %}"
USER = {"role": "user", "content": f"Is fever{MARKER} hot?\nSay it."}
SYSTEM = {"role": "system", "content": "Be brief."}


def written(template, *messages):
    tokenizer = byte_tokenizer()
    tokenizer.chat_template = template
    fix_day(tokenizer)
    return conversation(tokenizer, [list(messages or (USER,))])


def prompted(template, system=""):
    """As a model is asked: what the template makes of a whole question."""
    tokenizer = byte_tokenizer()
    tokenizer.chat_template = template
    tokens = Tokens(tokenizer, system)
    found = tokens.question_example(QUESTION, PromptConfig(concepts="none"), bool)
    return tokens.tokenizer.decode(found.prefix)


class TestContent:
    def test_of_a_template_that_takes_parts(self):
        assert written(PARTS) == f"<|user|>{USER['content']}<|end|>"

    def test_of_parts_with_a_system_message(self):
        assert prompted(PARTS, "Be brief.").startswith("<|system|>Be brief.<|end|><|user|>Is fever")

    @pytest.mark.parametrize(
        "template",
        [
            "no words at all",
            "",
            TEXT.replace("m['content']", "m['content'] | upper"),
            TEXT.replace("m['content']", "m['content'][:5]"),
            TEXT.replace("m['content']", "m['content'].split('\\n') | join(' ')"),
            TEXT + TEXT,  # a second marker would want a second vector
        ],
    )
    @pytest.mark.parametrize("system", ["", "Be brief."])
    def test_that_is_lost_or_altered_is_an_error(self, template, system):
        messages = [SYSTEM, USER] if system else [USER]
        with pytest.raises(InputError, match=r"not whole in what it writes.*model\.chat"):
            written(template, *messages)

    def test_an_answer_may_lose_its_thoughts(self):
        answer = {"role": "assistant", "content": "<think>Hm.</think>Yes"}
        template = TEXT.replace("m['content']", "m['content'].split('</think>')[-1]")
        assert written(template, USER, answer, USER).endswith(f"<|user|>{USER['content']}<|end|>")


class TestBrokenTemplates:
    @pytest.mark.parametrize(
        ("template", "said"),
        [
            ("{{ raise_exception('one turn only') }}", "TemplateError: one turn only"),
            ("{% for m in messages %}", "TemplateSyntaxError"),
            ("{{ messages[0]['content'] + 3 }}", "TypeError"),
            ("{{ 1 // 0 }}", "ZeroDivisionError"),
            ({"tool_use": TEXT, "rag": TEXT}, r"no default.*\['rag', 'tool_use'\]"),
        ],
    )
    @pytest.mark.parametrize("system", ["", "Be brief."])
    def test_are_a_clear_error(self, template, said, system):
        with pytest.raises(InputError, match=f"chat template of .*{said}"):
            prompted(template, system)

    def test_the_default_of_several_is_used(self):
        assert written({"default": TEXT, "rag": "x"}) == f"<|user|>{USER['content']}<|end|>"


class TestDay:
    @pytest.mark.parametrize(
        ("asked", "day"),
        [
            ("strftime_now('%d %b %Y')", "26 Jul 2024"),
            ("strftime_now('%Y-%m-%d')", "2024-07-26"),
            ("strftime_now(format='%A, %-d %B')", "Friday, 26 July"),
            ("strftime_now('%Y') | int - 1", "2023"),
            ("strftime_now('%H:%M')", "00:00"),
        ],
    )
    def test_is_one_in_any_format(self, asked, day):
        assert written("{{ " + asked + " }}" + TEXT).startswith(f"{day}<|user|>")

    def test_is_one_in_named_templates(self):
        template = "{{ strftime_now('%d %b %Y') }}" + TEXT
        assert written({"default": template}).startswith("26 Jul 2024<|user|>")
