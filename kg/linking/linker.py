"""A text to mentions: leftmost-longest match of the dictionary's names at word boundaries."""

from functools import lru_cache
from pathlib import Path

from kg.config import LinkConfig
from kg.linking.dictionary import Dictionary, read_dictionary
from kg.linking.normalise import words_of
from kg.mention import Candidate, Mention

__all__ = ["Linker"]


class Linker:
    """Finds the concepts that a text names.

    1. cut the text into words and fold them (`kg.linking.normalise`);
    2. from left to right, take the longest name that starts at a word and is likely a mention;
    3. give its concepts, best first: score = link probability x share of the name's uses.
    """

    def __init__(self, dictionary: Dictionary, config: LinkConfig) -> None:
        self.dictionary = dictionary
        self.config = config
        self._candidates = lru_cache(maxsize=1 << 16)(self._ranked)

    @classmethod
    def load(cls, folder: Path) -> "Linker":
        """The linker that `kg.link build` wrote, mapped and not read."""
        dictionary, about = read_dictionary(folder)
        return cls(dictionary, LinkConfig.model_validate(about["config"]))

    def link(self, text: str) -> list[Mention]:
        """Mentions in `text`, sorted, without overlap; offsets count characters of `text`."""
        spans, words = words_of(text)
        mentions = []
        for start, end, name in self._matches(words):
            candidates = self._candidates(name)
            first, last = spans[start][0], spans[end - 1][1]
            last = _closed(text, first, last)
            mentions.append(Mention(start=first, end=last, candidates=candidates))
        return mentions

    def _matches(self, words: list[str]) -> list[tuple[int, int, int]]:
        """First word, word after the last, and key number of each accepted name."""
        dictionary, least = self.dictionary, self.config.min_link
        prefixes, number, link = dictionary.names.prefixes, dictionary.names.get, dictionary.link
        joined = " ".join([*words, ""])
        matches = []
        word = position = 0
        while word < len(words):
            step = 1
            for key in reversed(prefixes(joined[position : position + dictionary.longest])):
                name = number(key)
                if link[name] >= least:
                    step = key.count(" ")
                    matches.append((word, word + step, name))
                    break
            position += sum(map(len, words[word : word + step])) + step
            word += step
        return matches

    def _ranked(self, name: int) -> tuple[Candidate, ...]:
        link = float(self.dictionary.link[name])
        ranked = self.dictionary.candidates(name)[: self.config.max_candidates]
        return tuple(Candidate(cui=cui, score=link * share) for cui, share in ranked)


def _closed(text: str, start: int, end: int) -> int:
    """`end`, moved over a bracket that the span opens and the next character closes."""
    opened = {")": "(", "]": "["}.get(text[end : end + 1])
    if opened and text.count(opened, start, end) > text.count(text[end], start, end):
        return end + 1
    return end
