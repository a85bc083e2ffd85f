"""A place in a text where concepts are named: what the linker returns.

Plain data classes: a linker makes a hundred a text, and a checked model costs several times as much
to make. Read from a file as a field of a pydantic model they are checked like one.
"""

from dataclasses import dataclass

from pydantic import ConfigDict

__all__ = ["Candidate", "Mention"]


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
