"""A text to mentions: leftmost-longest match of the dictionary's names at word boundaries."""

from bisect import bisect_left
from collections.abc import Iterator
from functools import lru_cache
from itertools import accumulate
from pathlib import Path

from kg.config import LinkConfig
from kg.linking.abbreviations import abbreviations
from kg.linking.dictionary import Dictionary, read_dictionary
from kg.linking.normalise import key_of, words_of
from kg.linking.typos import correct
from kg.mention import Candidate, Mention

__all__ = ["Linker"]


class Linker:
    """Finds the concepts that a text names.

    1. cut the text into words and fold them (`kg.linking.normalise`);
    2. correct typing errors in long words that no name has;
    3. read the text a second time with the abbreviations that it defines written out;
    4. from left to right, take the longest name that starts at a word and is likely a mention
       (a text that is nothing but a name is always one);
    5. give its concepts, best first: the best has the name's link probability as its score, the
       others less by their share of the name's uses.
    """

    def __init__(self, dictionary: Dictionary, config: LinkConfig) -> None:
        self.dictionary = dictionary
        self.config = config
        self._candidates = lru_cache(maxsize=1 << 16)(self._ranked)
        self._corrected = lru_cache(maxsize=1 << 16)(lambda word: correct(word, dictionary.words))

    @classmethod
    def load(cls, folder: Path) -> "Linker":
        """The linker that `kg.link build` wrote, mapped and not read."""
        dictionary, about = read_dictionary(folder)
        return cls(dictionary, LinkConfig.model_validate(about["config"]))

    def link(self, text: str) -> list[Mention]:
        """Mentions in `text`, sorted, without overlap; offsets count characters of `text`."""
        spans, words = words_of(text)
        if self.config.typos:
            words = [self._corrected(word) for word in words]
        mentions = []
        for first, last, name in self._matches(words, _long_forms(text, spans)):
            start, end = spans[first][0], spans[last - 1][1]
            end = _closed(text, start, end)
            mentions.append(Mention(start=start, end=end, candidates=self._candidates(name)))
        return mentions

    def _matches(
        self, words: list[str], long_forms: dict[int, str]
    ) -> Iterator[tuple[int, int, int]]:
        """First word, word after the last, and key number of each name."""
        as_it_is = written_out = _Reading(words)
        whole = self.dictionary.names.get(as_it_is.joined)
        if whole is not None:
            yield 0, len(words), whole
            return
        if long_forms:
            written_out = _Reading([long_forms.get(i, word) for i, word in enumerate(words)])
        word = 0
        while word < len(words):
            last, name = self._longest(as_it_is, word)
            if long_forms:
                # An abbreviation alone means its long form, never what else is spelled like it.
                if word in long_forms and last == word + 1:
                    last = word
                last, name = max((last, name), self._longest(written_out, word))
            if last > word:
                yield word, last, name
            word = max(last, word + 1)

    def _longest(self, reading: "_Reading", word: int) -> tuple[int, int]:
        """Word after the longest likely name that starts at `word`, and the name's number.

        Where there is none: `word` itself.
        """
        dictionary, begins = self.dictionary, reading.begins
        begin = begins[word]
        keys = dictionary.names.prefixes(reading.joined[begin : begin + dictionary.longest])
        for key in reversed(keys):
            end = begin + len(key)
            last = bisect_left(begins, end, lo=word)
            name = dictionary.names[key]
            # A long form is several words of a key and one of the text: the key may end inside.
            if begins[last] == end and dictionary.link[name] >= self.config.min_link:
                return last, name
        return word, -1

    def _ranked(self, name: int) -> tuple[Candidate, ...]:
        link = float(self.dictionary.link[name])
        ranked = self.dictionary.candidates(name)[: self.config.max_candidates]
        best = ranked[0][1]
        return tuple(Candidate(cui=cui, score=link * share / best) for cui, share in ranked)


class _Reading:
    """Words joined to one key, with the place in it where each word begins, and its end."""

    def __init__(self, words: list[str]) -> None:
        self.joined = " ".join([*words, ""])
        self.begins = list(accumulate((len(word) + 1 for word in words), initial=0))


def _long_forms(text: str, spans: list[tuple[int, int]]) -> dict[int, str]:
    """Number of a word that the text defines as an abbreviation -> key of its long form."""
    forms = abbreviations(text) if "(" in text else {}
    if not forms:
        return {}
    keys = {short: key_of(text[start:end]).rstrip() for short, (start, end) in forms.items()}
    raw = (text[start:end] for start, end in spans)
    return {number: keys[word] for number, word in enumerate(raw) if word in keys}


def _closed(text: str, start: int, end: int) -> int:
    """`end`, moved over a bracket that the span opens and the next character closes."""
    opened = {")": "(", "]": "["}.get(text[end : end + 1])
    if opened and text.count(opened, start, end) > text.count(text[end], start, end):
        return end + 1
    return end
