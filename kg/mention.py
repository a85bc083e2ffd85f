"""A place in a text where concepts are named: what the linker returns."""

from pydantic import BaseModel, ConfigDict

__all__ = ["Candidate", "Mention"]


class Candidate(BaseModel):
    """A concept that a mention may mean."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cui: str
    score: float
    """0 to 1, higher is better; comparable within one linker only."""


class Mention(BaseModel):
    """`text[start:end]` of the linked text names one of `candidates`, best first."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    start: int
    end: int
    candidates: tuple[Candidate, ...]
