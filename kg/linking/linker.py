"""A text to mentions: leftmost-longest match of the dictionary's names at word boundaries."""

from bisect import bisect_left
from collections.abc import Iterator
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kg.config import LinkConfig
from kg.linking.abbreviations import abbreviations
from kg.linking.accept import LEAST_LINK, Accept, Place, read_accept
from kg.linking.dictionary import ACCEPT, APPROXIMATE, Dictionary, read_dictionary
from kg.linking.mention import Candidate, Mention
from kg.linking.normalise import correct, gaps_of, words_of
from kg.linking.symbols import evident, speaks_of_genes

if TYPE_CHECKING:
    from kg.linking.approximate import Approximate, Near

__all__ = ["Linker"]


class Linker:
    """Finds the concepts that a text names.

    1. cut the text into words and fold them (`kg.linking.normalise`);
    2. where wanted, correct typing errors in long words that no name has;
    3. read the text a second time with the abbreviations that it defines written out;
    4. from left to right, take the longest name that starts at a word and is likely a mention
       (a text that is nothing but a name is always one), and a gene's symbol where the text speaks
       of genes (`kg.linking.symbols`);
    5. give its concepts, best first: the best has the name's link probability as its score, the
       others less by their share of the name's uses;
    6. where an accept model was learned, its probability that this place means the best concept
       takes the link probability's part, and mentions below its threshold are dropped;
    7. where approximate names are wanted, take those nearest to what is left of the text, with
       their cosine as a factor of the score.
    """

    def __init__(
        self,
        dictionary: Dictionary,
        config: LinkConfig,
        accept: Accept | None = None,
        approximate: "Approximate | None" = None,
    ) -> None:
        self.dictionary = dictionary
        self.config = config
        self.approximate = approximate
        self.accept = accept if config.accept else None
        # Numbers of 16 bits, as their bits sorted as the halves >= 0 are: quicker to look up.
        self._link = dictionary.link.view(np.uint16).data
        self._symbol = dictionary.symbol.data
        least = config.min_link if self.accept is None else LEAST_LINK
        self._least = int(np.float16(least).view(np.uint16))
        self._known = lru_cache(maxsize=1 << 16)(self._looked_up)
        self._candidates = lru_cache(maxsize=1 << 16)(self._ranked)
        # The texts of one question are each beside the others.
        self._defined = lru_cache(maxsize=16)(self._definitions)
        self._corrected = lru_cache(maxsize=1 << 16)(lambda word: correct(word, dictionary.words))

    @classmethod
    def load(cls, folder: Path) -> "Linker":
        """The linker that `kg.link build` wrote, mapped and not read."""
        dictionary, about = read_dictionary(folder)
        config = LinkConfig.model_validate(about["config"])
        path = folder / ACCEPT
        known = path.is_file() and config.accept
        accept = read_accept(path) if known else None
        if config.approximate == 1:
            return cls(dictionary, config, accept)
        # scikit-learn takes a second to import, which others need not wait for.
        from kg.linking.approximate import read_approximate  # noqa: PLC0415

        return cls(dictionary, config, accept, read_approximate(folder / APPROXIMATE))

    def link(self, text: str, beside: str = "") -> list[Mention]:
        """Mentions in `text`, sorted, without overlap; offsets count characters of `text`.

        `beside` is what stands with it, a question beside its option: abbreviations that it defines
        are defined in `text` too, and a gene's symbol alone is a gene where it speaks of genes.
        """
        spans, words, matches = self.matches(text, beside)
        whole = len(matches) == 1 and matches[0][:2] == (0, len(words))
        ranked = [self._candidates(name) for *_, name in matches]
        if whole:
            ranked = [self._alone(matches[0][2])]
        elif self.accept is not None and matches:
            places = self.places(matches)
            ranked = self._judged(places, self.accept, words, gaps_of(text, spans))
        mentions = []
        for (first, last, _), candidates in zip(matches, ranked, strict=True):
            if candidates:
                start = spans[first][0]
                end = _closed(text, start, spans[last - 1][1])
                mentions.append(Mention(start, end, candidates))
        if self.approximate is not None and not whole:
            taken = {word for first, last, _ in matches for word in range(first, last)}
            near = self.approximate.near(words, taken, self.config.approximate)
            mentions += [self._near(one, spans) for one in near if self._likely(one.name)]
            mentions.sort(key=lambda mention: mention.start)
        return mentions

    def _alone(self, name: int) -> tuple[Candidate, ...]:
        """Candidates of a name that is a whole text: it is meant, whatever it is inside others."""
        return self._ranked(name, max(self._known(name)[0], self.config.unseen_link))

    def _likely(self, name: int) -> bool:
        return self._known(name)[0] >= self.config.min_link

    def _near(self, near: "Near", spans: list[tuple[int, int]]) -> Mention:
        chance = near.cosine * self._known(near.name)[0]
        start, end = spans[near.first][0], spans[near.last - 1][1]
        return Mention(start, end, self._ranked(near.name, chance))

    def matches(
        self, text: str, beside: str = ""
    ) -> tuple[list[tuple[int, int]], list[str], list[tuple[int, int, int]]]:
        """Offsets and forms of the words, and of each name found: its first word, the word after
        its last, and its number."""
        spans, words = self._words(text)
        defined = self._defined(beside) | self._defined(text)
        raw = (text[start:end] for start, end in spans)
        long_forms = {i: defined[word] for i, word in enumerate(raw) if word in defined}
        matches = self._matches(words, long_forms)
        return spans, words, [one for one in matches if self._evident(words, beside, *one)]

    def _words(self, text: str) -> tuple[list[tuple[int, int]], list[str]]:
        spans, words = words_of(text)
        if self.config.typos:
            words = [self._corrected(word) for word in words]
        return spans, words

    def _definitions(self, text: str) -> dict[str, str]:
        """Abbreviation -> key of its long form, of those that the text defines."""
        forms = abbreviations(text) if "(" in text else {}
        if not forms:
            return {}
        spans, words = self._words(text)
        starts = [start for start, _ in spans]
        return {
            short: " ".join(words[bisect_left(starts, start) : bisect_left(starts, end)])
            for short, (start, end) in forms.items()
        }

    def _evident(self, words: list[str], beside: str, first: int, last: int, name: int) -> bool:
        """Whether a name that may be a gene's symbol is one here."""
        if not self._symbol[name]:
            return True
        if last - first == len(words):
            return not beside or speaks_of_genes(words_of(beside)[1])
        return evident(words, first)

    def places(self, matches: list[tuple[int, int, int]]) -> list[Place]:
        """The matches with what the dictionary knows of their names."""
        places = []
        for first, last, name in matches:
            link, ranked = self._known(name)
            places.append((first, last, name, link, ranked[0][0]))
        return places

    def _judged(
        self, places: list[Place], accept: Accept, words: list[str], gaps: list[str]
    ) -> list[tuple[Candidate, ...]]:
        """Each place's candidates, none where the accept model thinks the best unlikely."""
        chances = accept.probabilities(words, gaps, places).tolist()
        return [
            self._ranked(place[2], chance) if chance >= accept.threshold else ()
            for place, chance in zip(places, chances, strict=True)
        ]

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
        begins, begin = reading.begins, reading.begins[word]
        rest = reading.joined[begin : begin + self.dictionary.longest]
        found = word, -1
        for key, name in self.dictionary.names.iter_prefixes_with_ids(rest):
            if self._link[name] >= self._least:
                end = begin + len(key)
                last = bisect_left(begins, end, lo=word)
                # A long form is several words of a key and one of the text: a key may end inside.
                if begins[last] == end:
                    found = last, name
        return found

    def _looked_up(self, name: int) -> tuple[float, list[tuple[str, float]]]:
        """Link probability of a name, and its first candidates' cuis and shares."""
        candidates = self.dictionary.candidates(name)[: self.config.max_candidates]
        return float(self.dictionary.link[name]), candidates

    def _ranked(self, name: int, chance: float | None = None) -> tuple[Candidate, ...]:
        """Candidates of a name; the best has the score `chance`, or the link probability."""
        link, ranked = self._known(name)
        best = ranked[0][1]
        score = link if chance is None else chance
        return tuple(Candidate(cui=cui, score=score * share / best) for cui, share in ranked)


class _Reading:
    """Words joined to one key, with the place in it where each word begins, and its end."""

    def __init__(self, words: list[str]) -> None:
        self.joined = " ".join([*words, ""])
        self.begins = list(accumulate((len(word) + 1 for word in words), initial=0))


_OPENED = {")": "(", "]": "["}


def _closed(text: str, start: int, end: int) -> int:
    """`end`, moved over a bracket that the span opens and the next character closes."""
    opened = _OPENED.get(text[end : end + 1])
    if opened and text.count(opened, start, end) > text.count(text[end], start, end):
        return end + 1
    return end
