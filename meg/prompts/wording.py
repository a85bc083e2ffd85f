"""Questions to prompts: text with a marker wherever a concept's vector goes, for every data set.

A prompt is a prefix that all options share, and one branch an option. A concept's marker stands
right behind the words that name it, so that the LLM need not be told which is which. In the style
of the paper (`prompt.style`) all markers stand in one line before the question.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from kg.linking.mention import Mention
from kg.shared.errors import InputError
from meg.config import PromptConfig
from meg.datasets.question import Mentions, Neighbours, Question

__all__ = [
    "LETTERS",
    "MARKER",
    "Injected",
    "Known",
    "Prompt",
    "name_prompt",
    "needs_store",
    "open_prompt",
    "prompt_version",
    "question_prompt",
    "shows_options",
    "with_triplets",
]

MARKER = "<|concept|>"
"""Stands for a concept vector in prompt text; removed from the data's own text."""

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

Known = Callable[[str], bool]
"""Whether a cui has a vector."""


Injected = str | tuple[str, ...]
"""What one vector stands for: a concept, or several together."""


@dataclass(frozen=True)
class Prompt:
    """Text of one example; the k-th marker of user + branches belongs to the k-th of `cuis`."""

    id: str
    user: str
    branches: tuple[str, ...]
    cuis: tuple[Injected, ...]
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
    if config.concepts == "question+options" and not shows_options(config):
        raise InputError(
            "prompt.concepts question+options: the options' texts are in no prompt with "
            f"list_options false and answer {config.answer}; set list_options, or answer to yesno"
        )
    lettered = config.list_options or config.answer in ("letter", "letter+text")
    if lettered and len(question.options) > len(LETTERS):
        raise InputError(
            f"question {question.id} has {len(question.options)} options, and there are "
            f"{len(LETTERS)} letters; set prompt.list_options false and prompt.answer to text or "
            "yesno"
        )
    mentions = question.mentions or Mentions()
    of_options = mentions.options or ((),) * len(question.options)
    writer = _Writer(known, config, question.kind, _neighbours(question, config.parents))
    if config.concepts != "none":
        writer.choose((*mentions.context, *mentions.stem))
    lines = [
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
        lines += _lettered(option_texts(), config)
    if config.answer == "yesno":
        branches = [f"{text}?" for text in option_texts()]
    elif config.answer == "letter":
        branches = list(LETTERS[: len(question.options)])
    else:
        branches = [option.replace(MARKER, "") for option in question.options]
        if config.answer == "letter+text":
            branches = _lettered(branches, config)
    lines = [config.instruction, writer.block(), *lines]
    return Prompt(
        question.id,
        "\n".join(line for line in lines if line),
        tuple(branches),
        tuple(writer.cuis),
        gold=question.answer,
    )


def _lettered(texts: Sequence[str], config: PromptConfig) -> list[str]:
    mark = ")" if config.style == "paper" else "."
    return [f"{letter}{mark} {text}" for letter, text in zip(LETTERS, texts, strict=False)]


def shows_options(config: PromptConfig) -> bool:
    """Whether options are read with their concepts; else, at most, their bare texts are scored."""
    return config.list_options or config.answer == "yesno"


def needs_store(config: PromptConfig) -> bool:
    """Whether it is asked which concepts have a vector: to inject it, or to choose triplets."""
    return config.concepts != "none" or config.triplets > 0


def prompt_version(config: PromptConfig, system: str = "") -> str:
    """Equal for equal wording: a digest of a question's text as config and this module put it.

    Which concepts are injected does not count, so that a text-only run can be told to have asked
    in the same words.
    """
    plain = config.model_copy(update={"triplets": 0, "parents": 0})
    question = Question(id="q", stem="stem", context="context", options=("a", "b"), answer=0)
    prompt = question_prompt(question, plain, lambda cui: False)
    wording = json.dumps([system, prompt.user, prompt.branches, config.answer])
    return hashlib.sha256(wording.encode()).hexdigest()[:12]


def open_prompt(
    text: str, mentions: Sequence[Mention], config: PromptConfig, known: Known
) -> Prompt:
    """A question without options or parents, to be answered in the LLM's own words."""
    writer = _Writer(known, config)
    if config.concepts != "none":
        writer.choose(mentions)
    written = writer.write(text, mentions)
    user = "\n".join(filter(None, [writer.block(), written]))
    return Prompt("", user, (), tuple(writer.cuis))


def with_triplets(question: Question, config: PromptConfig, known: Known) -> Question:
    """The question with triplets of its best concepts behind its context, a line each.

    Options have no part in the choice, and the lines are the first to go where a context is
    shortened.
    """
    neighbours = _neighbours(question, config.triplets)
    mentions = question.mentions or Mentions()
    chosen = _best((*mentions.context, *mentions.stem), known, config.triplet_concepts)
    found = (neighbours[cui].triplets[: config.triplets] for cui in chosen if cui in neighbours)
    lines = dict.fromkeys(line for one in found for line in one)
    return question.model_copy(
        update={"context": "\n".join(filter(None, [question.context, *lines]))}
    )


def _neighbours(question: Question, shown: int) -> dict[str, Neighbours]:
    """Of the question's concepts; raises InputError where they are needed and were never added."""
    if shown and question.neighbours is None:
        raise InputError(
            f"question {question.id} has no neighbours, which prompt.parents and prompt.triplets "
            "need; run meg.neighbours on the grounded questions"
        )
    return question.neighbours or {}


def _best(mentions: Iterable[Mention], known: Known, most: int) -> list[str]:
    """The best concepts of these mentions: by score, then by length."""
    best: dict[str, tuple[float, int]] = {}
    for mention in mentions:
        if (found := _concept(mention, known)) is not None:
            rank = (found[1], mention.end - mention.start)
            best[found[0]] = max(rank, best.get(found[0], rank))
    return sorted(best, key=lambda cui: best[cui], reverse=True)[:most]


def _concept(mention: Mention, known: Known) -> tuple[str, float] | None:
    candidates = (c for c in mention.candidates if known(c.cui))
    return next(((c.cui, c.score) for c in candidates), None)


class _Writer:
    """Writes texts with a marker behind the first mention of each chosen concept.

    In the style of the paper the texts have none, and all markers stand in `block`.
    """

    def __init__(
        self,
        known: Known,
        config: PromptConfig,
        kind: str = "",
        neighbours: Mapping[str, Neighbours] = MappingProxyType({}),
    ) -> None:
        most = config.max_concepts
        self.most = most if isinstance(most, int) else most.get(kind, most["other"])
        self.known = known
        self.parents = config.parents
        self.neighbours = neighbours
        self.chosen: set[str] = set()
        self.pooled = config.pool == "mean"
        self.apart = config.style == "paper"
        self.cuis: list[Injected] = []

    def choose(self, mentions: Iterable[Mention]) -> None:
        """From now on mark the best concepts of these mentions."""
        self.chosen = set(_best(mentions, self.known, self.most))

    def write(self, text: str, mentions: Iterable[Mention]) -> str:
        """The text with markers; appends their concepts to `cuis` in the order of the text."""
        pieces, end = [], 0
        for place, cuis in self._placed(mentions):
            markers = 0 if self.apart else len(cuis)
            pieces += [text[end:place].replace(MARKER, ""), MARKER * markers]
            end = place
            self.cuis += cuis
        return "".join(pieces) + text[end:].replace(MARKER, "")

    def block(self) -> str:
        """The line of all markers, where they do not stand in the texts."""
        return f"Concepts: {MARKER * len(self.cuis)}" if self.apart and self.cuis else ""

    def _placed(self, mentions: Iterable[Mention]) -> list[tuple[int, list[Injected]]]:
        """Where vectors stand in a text, and of what."""
        placed: list[tuple[int, list[Injected]]] = []
        open_ = set(self.chosen)
        for mention in sorted(mentions, key=lambda mention: mention.end):
            found = _concept(mention, self.known)
            if found is not None and found[0] in open_:
                open_.remove(found[0])
                placed.append((mention.end, [*self._with_parents(found[0])]))
        if self.pooled and placed:
            together = tuple(str(cui) for _, cuis in placed for cui in cuis)
            return [(placed[-1][0], [together])]
        return placed

    def _with_parents(self, cui: str) -> list[str]:
        above = self.neighbours[cui].parents if cui in self.neighbours else ()
        return [cui, *filter(self.known, above)][: 1 + self.parents]
