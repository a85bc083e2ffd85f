"""Conversations to text by a tokenizer's chat template: all that was said, the same on any day."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from transformers import PreTrainedTokenizerBase

from kg.shared.errors import InputError
from meg.prompts.wording import MARKER

__all__ = ["Message", "conversation", "fix_day"]

Message = dict[str, str]
"""`role` (system, user, assistant) and `content`."""

DAY = datetime(2024, 7, 26)
"""A prompt must not change with the day; Llama's own templates fall back on this one."""

CODES = [f"%{flag}{letter}" for letter in "aAbBcdDeFHIjmMpRSTuUVwWxXyY" for flag in ("-", "")]

DATE = (
    "{% macro strftime_now(format) %}{{ format"
    + "".join(f"|replace('{code}', '{DAY.strftime(code)}')" for code in CODES)
    + " }}{% endmacro %}"
)
"""Before a template that asks for the day (Llama 3.2's and SmolLM3's do), in any format."""


def fix_day(tokenizer: PreTrainedTokenizerBase) -> None:
    """Let the tokenizer's chat templates, one or several by name, write one day for ever."""
    template = tokenizer.chat_template
    if isinstance(template, dict):
        tokenizer.chat_template = {name: _dated(one) for name, one in template.items()}
    elif template is not None:
        tokenizer.chat_template = _dated(template)


def _dated(template: str) -> str:
    return template if "strftime_now" not in template or DATE in template else DATE + template


def conversation(
    tokenizer: PreTrainedTokenizerBase, ways: Sequence[list[Message]], **options: Any
) -> str:
    """The messages as the template writes them, in the first of `ways` that it writes whole.

    Some templates take a content as text, some as a list of parts; both are tried. Raises
    InputError where system's and user's words are lost or altered in any way, or none renders.
    """
    problems = []
    for content in (_text, _parts):
        for messages in ways:
            spoken = [{**message, "content": content(message)} for message in messages]
            try:
                text = str(tokenizer.apply_chat_template(spoken, tokenize=False, **options))
            except Exception as error:  # a template is a program of somebody's: it may raise any
                problems.append(f"{type(error).__name__}: {error}".replace("\n", " "))
                continue
            if _whole(text, messages):
                return text
            problems.append("the text of the messages is not whole in what it writes")
    raise InputError(
        f"the chat template of {tokenizer.name_or_path or 'the tokenizer'} cannot be used "
        f"({problems[len(ways) - 1]:.300}); mend it in the LLM's folder, or set model.chat to "
        "false for plain text"
    )


def _text(message: Message) -> Any:
    return message["content"]


def _parts(message: Message) -> Any:
    return [{"type": "text", "text": message["content"]}]


def _whole(text: str, messages: Sequence[Message]) -> bool:
    """Whether all is there, and no marker of a concept twice."""
    said = [one["content"] for one in messages]
    asked = [one["content"] for one in messages if one["role"] != "assistant"]
    markers = sum(content.count(MARKER) for content in said)
    return all(one.strip() in text for one in asked) and text.count(MARKER) == markers
