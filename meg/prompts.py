"""Questions to prompts: text with a marker wherever a concept's vector goes, for every data set.

A prompt is a prefix that all options share, and one branch an option. A concept's marker stands
right behind the words that name it, so that the LLM need not be told which is which.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from kg.mention import Mention
from meg.config import PromptConfig
from meg.question import Mentions, Question

__all__ = ["LETTERS", "MARKER", "Known", "Prompt", "name_prompt", "open_prompt", "question_prompt"]

MARKER = "<|concept|>"
"""Stands for a concept vector in prompt text; removed from the data's own text."""

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

Known = Callable[[str], bool]
"""Whether a cui has a vector."""


@dataclass(frozen=True)
class Prompt:
    """Text of one example; the k-th marker of user + branches belongs to the k-th cui."""

    id: str
    user: str
    branches: tuple[str, ...]
    cuis: tuple[str, ...]
    gold: int = 0
    names: tuple[str, ...] = ()
    """Phase I: the names of the concepts, in order."""


def name_prompt(concepts: Sequence[tuple[str, str]]) -> Prompt:
    """Phase I: say the names of concepts (cui, name) from their vectors alone."""
    cuis, names = zip(*concepts, strict=True)
    names = tuple(name.replace(MARKER, "") for name in names)
    what = "this medical concept" if len(cuis) == 1 else "these medical concepts"
    user = f"Name {what}: " + "; ".join([MARKER] * len(cuis))
    return Prompt("; ".join(cuis), user, ("; ".join(names),), cuis, names=names)


def question_prompt(question: Question, config: PromptConfig, known: Known) -> Prompt:
    """Phase II and evaluation: a question with its concepts; `known` drops those without vector."""
    mentions = question.mentions or Mentions()
    of_options = mentions.options or ((),) * len(question.options)
    writer = _Writer(known, config.max_concepts)
    if config.concepts != "none":
        writer.choose((*mentions.context, *mentions.stem))
    lines = [
        config.instruction,
        writer.write(question.context, mentions.context),
        writer.write(question.stem, mentions.stem),
    ]

    def option_texts() -> list[str]:
        texts = []
        for option, found in zip(question.options, of_options, strict=True):
            if config.concepts == "question+options":
                writer.choose(found)
            texts.append(writer.write(option, found))
        return texts

    if config.list_options:
        lines += [
            f"{letter}. {text}" for letter, text in zip(LETTERS, option_texts(), strict=False)
        ]
    if config.answer == "yesno":
        branches = [f"{text}?" for text in option_texts()]
    elif config.answer == "letter":
        branches = list(LETTERS[: len(question.options)])
    else:
        branches = [option.replace(MARKER, "") for option in question.options]
    return Prompt(
        question.id,
        "\n".join(line for line in lines if line),
        tuple(branches),
        tuple(writer.cuis),
        gold=question.answer,
    )


def open_prompt(
    text: str, mentions: Sequence[Mention], config: PromptConfig, known: Known
) -> Prompt:
    """A question without options, to be answered in the LLM's own words."""
    writer = _Writer(known, config.max_concepts)
    if config.concepts != "none":
        writer.choose(mentions)
    return Prompt("", writer.write(text, mentions), (), tuple(writer.cuis))


class _Writer:
    """Writes texts with a marker behind the first mention of each chosen concept."""

    def __init__(self, known: Known, most: int) -> None:
        self.known = known
        self.most = most
        self.chosen: set[str] = set()
        self.cuis: list[str] = []

    def choose(self, mentions: Iterable[Mention]) -> None:
        """From now on mark the best concepts of these mentions: by score, then by length."""
        best: dict[str, tuple[float, int]] = {}
        for mention in mentions:
            if (found := self._concept(mention)) is not None:
                rank = (found[1], mention.end - mention.start)
                best[found[0]] = max(rank, best.get(found[0], rank))
        self.chosen = set(sorted(best, key=lambda cui: best[cui], reverse=True)[: self.most])

    def write(self, text: str, mentions: Iterable[Mention]) -> str:
        """The text with markers; appends their concepts to `cuis` in the order of the text."""
        pieces, end, open_ = [], 0, set(self.chosen)
        for mention in sorted(mentions, key=lambda mention: mention.end):
            found = self._concept(mention)
            if found is not None and found[0] in open_:
                open_.remove(found[0])
                pieces += [text[end : mention.end].replace(MARKER, ""), MARKER]
                end = mention.end
                self.cuis.append(found[0])
        return "".join(pieces) + text[end:].replace(MARKER, "")

    def _concept(self, mention: Mention) -> tuple[str, float] | None:
        candidates = (c for c in mention.candidates if self.known(c.cui))
        return next(((c.cui, c.score) for c in candidates), None)
