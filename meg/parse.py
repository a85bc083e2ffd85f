"""What a model wrote to the option it chose, or to nothing: no guessing."""

import re
from collections.abc import Sequence

from meg.config import PromptConfig
from meg.prompts import LETTERS

__all__ = ["chosen_option"]

LETTER = re.compile(
    r"(?:(?:the )?(?:correct )?(?:answer|option)(?: is)?:?\s+)?"
    r"(?:\(([A-Z])\)[.:]?|([A-Z])(?:[.):]|$|(?=\n)))(?:\s.*)?",
    re.IGNORECASE | re.DOTALL,
)
"""A letter alone, in brackets, or closed by . ) or : -- never the article of "A fever"."""


def chosen_option(text: str, options: Sequence[str], config: PromptConfig) -> int | None:
    """Number of the option that `text` names, None where it names none or more than one.

    By its letter where the prompt listed letters, or by exactly its text, but for case, white
    space and a full stop.
    """
    if config.list_options and (match := LETTER.fullmatch(text.strip())):
        number = LETTERS.index((match[1] or match[2]).upper())
        return number if number < len(options) else None
    wanted = _plain(text)
    equal = [number for number, option in enumerate(options) if _plain(option) == wanted]
    return equal[0] if len(equal) == 1 else None


def _plain(text: str) -> str:
    return " ".join(text.casefold().split()).removesuffix(".")
