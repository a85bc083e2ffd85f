"""Abbreviations that a text defines itself: "cystic fibrosis (CF)".

The algorithm of Schwartz and Hearst (Pacific Symposium on Biocomputing 2003): the letters of the
short form are matched from its end backwards in the words before the bracket, the first letter at
a word's beginning.
"""

import re

__all__ = ["abbreviations"]

_SHORT_FORM = re.compile(r"\(\s*([^\W_]{2,10})\s*[);,]")
"""One word of 2 to 10 letters and digits, a capital among them; not of two words or a hyphen."""

_WORD_START = re.compile(r"[^\W_]+")


def abbreviations(text: str) -> dict[str, tuple[int, int]]:
    """Short form -> start and end of the long form in `text`; of two definitions the first."""
    found: dict[str, tuple[int, int]] = {}
    for match in _SHORT_FORM.finditer(text):
        short = match[1]
        if short in found or short.islower() or short.isdigit():
            continue
        span = _long_form(text, match.start(), short)
        if span is not None:
            found[short] = span
    return found


def _long_form(text: str, bracket: int, short: str) -> tuple[int, int] | None:
    end = len(text[:bracket].rstrip()) if text[bracket - 1 : bracket].isspace() else bracket
    # Long forms have at most min(|A| + 5, 2|A|) words; 20 characters a word is generous.
    words = min(len(short) + 5, 2 * len(short))
    first = max(0, end - 20 * words)
    starts = [first + word.start() for word in _WORD_START.finditer(text[first:end])][-words:]
    place = end
    for number in range(len(short) - 1, -1, -1):
        letter, place = short[number].lower(), place - 1
        while place >= first and (
            text[place].lower() != letter or (number == 0 and place not in starts)
        ):
            place -= 1
        if place < first:
            return None
    # A long form of one word with the letters in it is no definition unless clearly longer.
    return (place, end) if end - place > len(short) + 2 and place in starts else None
