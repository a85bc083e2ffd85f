"""The three splits of a data set, with what is wrong with which of its items."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from meg.datasets.question import Question

__all__ = ["NAMES", "Problem", "Splits"]

NAMES = ("train", "dev", "test")


@dataclass(frozen=True)
class Problem:
    """An item that is wrong; `kept` says whether its split holds it all the same."""

    split: str
    id: str
    reason: str
    kept: bool = False


@dataclass
class Splits:
    """A data set; `facts` is what only its reader knows and the summary should say.

    `once`: a question whose text and options, in their order, stood before in its split and kind is
    left out.
    """

    train: list[Question] = field(default_factory=list)
    dev: list[Question] = field(default_factory=list)
    test: list[Question] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    once: bool = False
    _ids: set[str] = field(default_factory=set)
    _texts: set[tuple[str, str, str]] = field(default_factory=set)

    def __iter__(self) -> Iterator[tuple[str, list[Question]]]:
        """(name, questions) of each split."""
        return iter((name, getattr(self, name)) for name in NAMES)

    def add(self, split: str, id: str, /, **fields: Any) -> None:
        """Check an item and append it to a split, or note why it cannot be used."""
        try:
            question = Question(id=id, **fields)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "question"
            self.reject(split, id, f"{where}: {first['msg']} (got {first['input']!r:.80})")
            return
        if id in self._ids:
            self.reject(split, id, "the id stands twice")
            return
        # As the published readers compare them: without case and white space.
        words = "".join([question.stem, *question.options]).lower().split()
        text = (split, question.kind, "".join(words))
        if self.once and text in self._texts:
            self.reject(split, id, "its text and options stood before (repeated: drop)")
            return
        self._texts.add(text)
        if len({_plain(option) for option in question.options}) < len(question.options):
            # Published scores count such items, so that ours must too.
            self.problems.append(Problem(split, id, "an option stands twice", kept=True))
        self._ids.add(id)
        getattr(self, split).append(question)

    def reject(self, split: str, id: str, reason: str) -> None:
        """Note an item that cannot be used."""
        self.problems.append(Problem(split, id, reason))


def _plain(text: str) -> str:
    """Without what a strict parser of answers does not tell apart either."""
    return " ".join(text.casefold().split()).removesuffix(".")
