"""Prompts to tokens: chat template, placeholder ids, and contexts cut to fit."""

import logging
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice

from transformers import PreTrainedTokenizerBase

from kg.shared.errors import InputError
from meg.config import PromptConfig
from meg.datasets.question import Question
from meg.prompts.chat import conversation, fix_day
from meg.prompts.spaces import one_space
from meg.prompts.wording import MARKER, Injected, Known, Prompt, question_prompt, with_triplets

__all__ = ["Example", "Tokens", "say_longer"]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Example:
    """Tokens of one prompt; placeholders stand among them, one for each of `cuis`, in order."""

    id: str
    prefix: tuple[int, ...]
    branches: tuple[tuple[int, ...], ...]
    cuis: tuple[Injected, ...]
    gold: int = 0
    names: tuple[tuple[int, ...], ...] = ()
    shortened: bool = False

    def __len__(self) -> int:
        return len(self.prefix) + sum(map(len, self.branches))

    @property
    def concepts(self) -> tuple[str, ...]:
        """All concepts that it carries."""
        parts = ((one,) if isinstance(one, str) else one for one in self.cuis)
        return tuple(cui for part in parts for cui in part)

    def apart(self, placeholder: int) -> list["Example"]:
        """An example a branch: the prefix and that branch, with the concepts of both."""
        shared = self.prefix.count(placeholder)
        others = iter(self.cuis[shared:])
        return [
            replace(
                self,
                branches=(branch,),
                cuis=(*self.cuis[:shared], *islice(others, branch.count(placeholder))),
            )
            for branch in self.branches
        ]


class Tokens:
    """A tokenizer that also knows the placeholder.

    The marker becomes an added token of this in-memory tokenizer, with an id behind all others;
    the tokenizer's files and the LLM's embeddings stay as published.

    Attributes: `placeholder`, its id; `longest`, the tokens that the LLM reads at once.
    """

    def __init__(
        self, tokenizer: PreTrainedTokenizerBase, system: str = "", longest: int | None = None
    ) -> None:
        self.tokenizer = tokenizer
        self.system = system
        self.longest = longest or sys.maxsize
        fix_day(tokenizer)
        one_space(tokenizer)
        tokenizer.add_tokens([MARKER], special_tokens=True)
        self.placeholder = self._encode(MARKER)[0]

    @property
    def verdicts(self) -> tuple[int, int]:
        """Ids of " Yes" and " No" behind a question mark; InputError where they begin alike."""
        after = len(self._encode("?"))
        yes, no = self._encode("? Yes")[after], self._encode("? No")[after]
        if yes == no:
            raise InputError(
                f"the tokenizer {self.tokenizer.name_or_path} begins Yes and No with the same "
                f"token ({yes}), so they cannot be told apart; set prompt.answer to text or letter"
            )
        return yes, no

    def name_example(self, prompt: Prompt) -> Example:
        """Phase I: the branch is the names and the end of the turn."""
        prefix, space = self._prefix(prompt)
        branches = tuple(self._answer(space + branch) for branch in prompt.branches)
        names = tuple(tuple(self._encode(space + name)) for name in prompt.names)
        return Example(prompt.id, prefix, branches, prompt.cuis, names=names)

    def open_example(self, prompt: Prompt, room: int = 1) -> Example:
        """A prompt without branches, to be answered by generation of up to `room` tokens.

        Raises InputError where the LLM cannot read it and them.
        """
        example = Example(prompt.id, self._prefix(prompt)[0], (), prompt.cuis)
        self._check(example, room)
        return example

    def question_example(
        self,
        question: Question,
        config: PromptConfig,
        known: Known,
        gold_only: bool = False,
        room: int = 0,
    ) -> Example:
        """A question in at most `config.max_tokens` tokens, by cutting its context from the end.

        Question, options and their concepts are never cut: a question that is too long without
        any context stays so (`say_longer`), and InputError is raised where the LLM cannot read it
        with each option, or with `room` tokens that it writes. With `gold_only` the right option
        is the only branch; what is cut does not depend on it, so that a model learns from the text
        that it is asked with.
        """
        if config.triplets:
            question = with_triplets(question, config, known)
        example = self._whole(question, config, known)
        while (excess := self._excess(example, config.max_tokens, room)) > 0 and question.context:
            question = self._shorten(question, excess)
            example = replace(self._whole(question, config, known), shortened=True)
        self._check(example, room)
        if gold_only:
            return replace(example.apart(self.placeholder)[example.gold], gold=0)
        return example

    def _excess(self, example: Example, most: int, room: int) -> int:
        return max(len(example) - most, _reach(example, room) - self.longest)

    def _check(self, example: Example, room: int) -> None:
        if (reach := _reach(example, room)) > self.longest:
            raise InputError(
                f"question {example.id!r} takes {reach} tokens with its answer, and the LLM reads "
                f"{self.longest}; shorten its text (only a context is cut), or take an LLM that "
                "reads more"
            )

    def _whole(self, question: Question, config: PromptConfig, known: Known) -> Example:
        prompt = question_prompt(question, config, known)
        prefix, space = self._prefix(prompt)
        encode = self._answer if config.answer.endswith("text") else self._encode
        branches = tuple(tuple(encode(space + branch)) for branch in prompt.branches)
        return Example(prompt.id, prefix, branches, prompt.cuis, prompt.gold)

    def _shorten(self, question: Question, excess: int) -> Question:
        """Cut `excess` tokens (at least) off the context's end, and the mentions they held."""
        encoding = self.tokenizer(
            question.context, add_special_tokens=False, return_offsets_mapping=True
        )
        kept = max(0, len(encoding.input_ids) - excess)
        end = encoding["offset_mapping"][kept][0] if kept else 0
        context = question.context[:end]
        update: dict[str, object] = {"context": context}
        if question.mentions is not None:
            inside = tuple(m for m in question.mentions.context if m.end <= len(context))
            update["mentions"] = question.mentions.model_copy(update={"context": inside})
        return question.model_copy(update=update)

    def _prefix(self, prompt: Prompt) -> tuple[tuple[int, ...], str]:
        """Tokens before the answer, and the space that has to stand between them."""
        if self.tokenizer.chat_template is None:
            text = "\n".join(part for part in (self.system, prompt.user, "Answer:") if part)
            return tuple(self.tokenizer(text).input_ids), " "
        text = self._chat(prompt)
        return tuple(self._encode(text)), "" if text[-1:].isspace() else " "

    def _chat(self, prompt: Prompt) -> str:
        """The rendered conversation; a system message goes into the user's where none is known."""
        user = {"role": "user", "content": prompt.user}
        system = {"role": "system", "content": self.system}
        merged = {"role": "user", "content": f"{self.system}\n\n{prompt.user}"}
        ways = [[system, user], [merged]] if self.system else [[user]]
        return conversation(self.tokenizer, ways, add_generation_prompt=True)

    def _answer(self, text: str) -> tuple[int, ...]:
        end = self.tokenizer.eos_token_id
        if end is None:
            raise InputError(
                f"the tokenizer {self.tokenizer.name_or_path} has no end-of-sequence token; "
                "set eos_token in its tokenizer_config.json"
            )
        return (*self._encode(text), int(end))

    def _encode(self, text: str) -> tuple[int, ...]:
        return tuple(self.tokenizer(text, add_special_tokens=False).input_ids)


def _reach(example: Example, room: int) -> int:
    """Tokens before the end of the longest branch, or of `room` that are written instead."""
    return len(example.prefix) + (room or max(map(len, example.branches), default=0))


def say_longer(examples: Sequence[Example], most: int) -> None:
    """Log how many are longer than `most` (prompt.max_tokens), as they have no context to cut."""
    longer = [len(example) for example in examples if len(example) > most]
    if longer:
        log.warning(
            "%d of %d questions are longer than prompt.max_tokens %d (the longest has %d tokens): "
            "they have no context left to cut and stay whole",
            len(longer),
            len(examples),
            most,
            max(longer),
        )
