"""Text to keys: the form in which names and texts are compared.

A text is cut into words (runs of letters and digits; everything else separates), each word is
folded, and a name's key is its folded words, each followed by one space. The trailing space makes
every key that is a prefix of a text's key end at a word's end.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from string import ascii_lowercase

import marisa_trie

__all__ = [
    "MIN_LETTERS",
    "WORD",
    "correct",
    "fold",
    "gaps_of",
    "is_acronym",
    "key_of",
    "keys_of",
    "shouts",
    "words_of",
]

MIN_LETTERS, MAX_LETTERS = 8, 40
"""Shorter words have too many neighbours that are other words; longer ones are no words."""

ENDING = 2
"""Letters at a word's end that are taken to be right."""

WORD = re.compile(r"(?!(?<=[^\W_]['\u2019])[sS](?![^\W_]))[^\W_]+(?:[\u0300-\u036f]+[^\W_]*)*")
"""A word; Python's own idea of letters and digits, so one engine cuts both names and texts. Accents
may stand behind their letters (NFD). The s of a possessive is none: Alzheimer's disease is
Alzheimer disease."""

_DIGRAPH = re.compile("[ao]e(?=.)")
"""Written e in American spelling: anaemia, oedema. Not at a word's end (toe)."""

DIGRAPH_LETTERS = 6
"""Shorter words have other reasons for it (poet)."""

ACRONYM_LETTERS = 6
"""An ALL-CAPS word of at most this length keeps its case: WAS the gene is not "was" the verb."""


def words_of(text: str) -> tuple[list[tuple[int, int]], list[str]]:
    """Offsets and folded form of the words of `text`, in order."""
    spans = [match.span() for match in WORD.finditer(text)]
    if shouts(text):
        return spans, [fold(text[start:end].lower()) for start, end in spans]
    return spans, [fold(text[start:end]) for start, end in spans]


def gaps_of(text: str, spans: list[tuple[int, int]]) -> list[str]:
    """What stands between each word of `text` and the next."""
    return [text[end:start] for (_, end), (start, _) in pairwise(spans)]


def key_of(name: str) -> str:
    """The key of a name as it stands; empty where it has no word."""
    return " ".join([*map(fold, WORD.findall(name)), ""])


def keys_of(name: str) -> list[str]:
    """Keys under which a name is found; a shouted one also in lower case."""
    return [key_of(name), key_of(name.lower())] if shouts(name) else [key_of(name)]


def shouts(text: str) -> bool:
    """Whether all is in capitals, a word too long for an acronym among it: they mean nothing."""
    return text.isupper() and any(
        len(word) > ACRONYM_LETTERS and word.isalpha() for word in WORD.findall(text)
    )


def is_acronym(word: str) -> bool:
    """Whether a folded or raw word is a short ALL-CAPS one."""
    return len(word) <= ACRONYM_LETTERS and word.isupper()


@lru_cache(maxsize=1 << 20)
def fold(word: str) -> str:
    """A word in American spelling without case, accents and plural; acronyms lose a plural s and
    nothing else."""
    if is_acronym(word):
        return word
    if word.endswith("s") and len(word) > 2 and is_acronym(word[:-1]):
        return word[:-1]
    singular = _singular(_plain(word))
    return singular if len(singular) < DIGRAPH_LETTERS else _DIGRAPH.sub("e", singular)


def _plain(word: str) -> str:
    if word.isascii():
        return word.lower()
    parts = unicodedata.normalize("NFKD", word.casefold()).replace("æ", "ae").replace("œ", "oe")
    return "".join(part for part in parts if part.isalnum()) or word


def _singular(word: str) -> str:
    # Both sides of a comparison pass here, so a wrong stem does no harm unless two words meet.
    if len(word) < 4 or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "shes", "ches", "xes")):
        return word[:-2]
    return word[:-1]


def correct(word: str, words: marisa_trie.Trie) -> str:
    """The one word of `words` a single edit away, else `word` itself.

    An edit is a letter left out or added, or two neighbours exchanged. A replaced letter, another
    first one or another ending mostly make another word: homeless, hopeless; allodynia, allodynic.
    Words with other signs than a-z are left alone.
    """
    if not MIN_LETTERS <= len(word) <= MAX_LETTERS:
        return word
    if not (word.isascii() and word.isalpha() and word.islower()):
        return word
    if word in words:
        return word
    near = {edit for edit in _edits(word) if edit in words}
    return near.pop() if len(near) == 1 else word


def _edits(word: str) -> Iterator[str]:
    for place in range(1, len(word) - ENDING):
        before, after = word[:place], word[place:]
        for letter in ascii_lowercase:
            yield before + letter + after
        yield before + after[1:]
        yield before + after[1] + after[0] + after[2:]
