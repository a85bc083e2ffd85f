"""What a model wrote to the option it chose, or to nothing: no guessing."""

import re
from collections.abc import Sequence

from meg.config import PromptConfig
from meg.prompts import LETTERS

__all__ = ["chosen_option"]

LETTER = re.compile(
    r"(?:(?:the )?(?:correct )?(?:answer|option)(?: is)?:?\s+)?"
    r"(?:\(([A-Z])\)[.:]?|([A-Z])(?:[.):]|$|(?=\n)))(?:\s(.*))?",
    re.IGNORECASE | re.DOTALL,
)
"""A letter alone, in brackets, or closed by . ) or : -- never the article of "A fever"."""

ANOTHER = re.compile(r"\(([A-Z])\)|\b([A-Z])(?:[.):,;]|$|(?=\n))")
"""A letter named behind the first one: the same marks, capitals only."""


def chosen_option(text: str, options: Sequence[str], config: PromptConfig) -> int | None:
    """Number of the option that `text` names, None where it names none or more than one.

    By its letter where the prompt listed letters, or by exactly its text, but for case, white
    space and a full stop.
    """
    if config.list_options and (match := LETTER.fullmatch(text.strip())):
        number = LETTERS.index((match[1] or match[2]).upper())
        if number >= len(options) or _names_another(match[3] or "", number, options):
            return None
        return number
    wanted = _plain(text)
    equal = [number for number, option in enumerate(options) if _plain(option) == wanted]
    return equal[0] if len(equal) == 1 else None


def _names_another(rest: str, number: int, options: Sequence[str]) -> bool:
    """Whether what follows the letter names another one, unless it is the option's own text."""
    if _plain(rest) == _plain(options[number]):
        return False
    letters = {one or other for one, other in ANOTHER.findall(rest.strip())}
    return bool(letters & set(LETTERS[: len(options)]) - {LETTERS[number]})


def _plain(text: str) -> str:
    return " ".join(text.casefold().split()).removesuffix(".")
