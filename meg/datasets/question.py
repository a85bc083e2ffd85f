"""A multiple-choice question: the one schema of every data set, with its reader and writer."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, model_validator

from kg.linking.mention import Mention, check_span
from kg.shared.artefact import replacing
from kg.shared.lines import Identified, model_lines

__all__ = ["Claim", "Mentions", "Neighbours", "Question", "read_questions", "write_questions"]


class Mentions(BaseModel):
    """Concepts named in a question's texts, written by `kg.link`; offsets are per text."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stem: tuple[Mention, ...] = ()
    context: tuple[Mention, ...] = ()
    options: tuple[tuple[Mention, ...], ...] = ()


class Neighbours(BaseModel):
    """What the graph says of a concept, written by `meg.neighbours`; the best come first."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    parents: tuple[str, ...] = ()
    """Their cuis."""
    triplets: tuple[str, ...] = ()
    """As sentences."""


class Question(Identified):
    """One item. `kind` is the subject of MMLU, the question kind of a quiz, else ""."""

    stem: str = Field(min_length=1)
    context: str = ""
    options: tuple[str, ...] = Field(min_length=2)
    answer: int = Field(ge=0)
    kind: str = ""
    mentions: Mentions | None = None
    """None until the question is grounded."""
    neighbours: dict[str, Neighbours] | None = None
    """By cui; None where the question did not pass `meg.neighbours`."""

    @model_validator(mode="after")
    def _consistent(self) -> "Question":
        if self.answer >= len(self.options):
            raise ValueError(f"answer {self.answer} of {len(self.options)} options")
        if not self.stem.strip():
            raise ValueError("the stem is empty")
        if any(not option.strip() for option in self.options):
            raise ValueError("an option is empty")
        if self.mentions is not None:
            self._check_mentions(self.mentions)
        return self

    def _check_mentions(self, mentions: Mentions) -> None:
        if len(mentions.options) != len(self.options):
            raise ValueError("mentions.options and options differ in length")
        texts = {"stem": (self.stem, mentions.stem), "context": (self.context, mentions.context)}
        for number, of_option in enumerate(zip(self.options, mentions.options, strict=True)):
            texts[f"options.{number}"] = of_option
        for field, (text, found) in texts.items():
            for number, mention in enumerate(found):
                try:
                    check_span(mention.start, mention.end, text)
                except ValueError as error:
                    raise ValueError(
                        f"question {self.id}, mentions.{field}.{number}: {error}"
                    ) from error

    @property
    def all_mentions(self) -> tuple[Mention, ...]:
        """Of context, stem and options; none before the question is grounded."""
        if self.mentions is None:
            return ()
        options = (mention for option in self.mentions.options for mention in option)
        return (*self.mentions.context, *self.mentions.stem, *options)


class Claim(Question):
    """A question with one option: is it the answer? `answer` is 0 and says nothing."""

    options: tuple[str, ...] = Field(min_length=1, max_length=1)


def read_questions(path: Path) -> Iterator[Question]:
    """Questions of a JSON-lines file; InputError with file, line and reason on a bad line or id."""
    return model_lines(path, Question, "make it with meg.questions (and kg.link)")


def write_questions(path: Path, questions: Iterable[Question]) -> None:
    """Write a JSON-lines file, one question a line."""
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
        for question in questions:
            row = question.model_dump(mode="json", exclude_none=True)
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
