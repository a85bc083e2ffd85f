"""What a model wrote to the option it chose, or to nothing: no guessing."""

import re
from collections.abc import Sequence

from meg.config import PromptConfig
from meg.prompts.wording import LETTERS

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
    space and a full stop; what the prompt asked for goes first ("A" may be a blood group).
    """
    wanted = _plain(text)
    equal = [number for number, option in enumerate(options) if _plain(option) == wanted]
    lettered = config.list_options or config.answer == "letter+text"
    match = LETTER.fullmatch(text.strip()) if lettered else None
    if match and not (equal and config.answer == "text"):
        number = LETTERS.index((match[1] or match[2]).upper())
        if number >= len(options) or _names_another(match[3] or "", number, options):
            return None
        return number
    return equal[0] if len(equal) == 1 else None


def _names_another(rest: str, number: int, options: Sequence[str]) -> bool:
    """Whether what follows the letter, and the option's own text, names another one."""
    own = r"\s+".join(map(re.escape, options[number].split()))
    rest = re.sub(rf"\A\s*{own}(?!\w)", "", rest, count=1, flags=re.IGNORECASE) if own else rest
    letters = {one or other for one, other in ANOTHER.findall(rest.strip())}
    return bool(letters & set(LETTERS[: len(options)]) - {LETTERS[number]})


def _plain(text: str) -> str:
    return " ".join(text.casefold().split()).removesuffix(".")
