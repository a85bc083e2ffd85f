"""Correction of one typing error in a word that no name has."""

from collections.abc import Iterator
from string import ascii_lowercase

import marisa_trie

__all__ = ["MIN_LETTERS", "correct"]

MIN_LETTERS, MAX_LETTERS = 8, 40
"""Shorter words have too many neighbours that are other words; longer ones are no words."""

ENDING = 2
"""Letters at a word's end that are taken to be right."""


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
