"""A place in a text where concepts are named: what the linker returns.

Plain data classes: a linker makes a hundred a text, and a checked model costs several times as much
to make. Read from a file as a field of a pydantic model they are checked like one.
"""

from dataclasses import dataclass

from pydantic import ConfigDict

__all__ = ["Candidate", "Mention", "check_span"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A concept that a mention may mean."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    cui: str
    score: float
    """0 to 1, higher is better; comparable within one linker only."""


@dataclass(frozen=True, slots=True)
class Mention:
    """`text[start:end]` of the linked text names one of `candidates`, best first."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    start: int
    end: int
    candidates: tuple[Candidate, ...]


def check_span(start: int, end: int, text: str) -> None:
    """Raise ValueError unless `text[start:end]` is a part of the text, of one character at least.

    For every reader: a mention itself does not know its text.
    """
    if not 0 <= start < end <= len(text):
        raise ValueError(f"mention {start}:{end} of a text of {len(text)} characters")
