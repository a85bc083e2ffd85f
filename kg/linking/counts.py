"""How a corpus uses names and words: what `kg.linking.fit` estimates link probabilities from."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

import marisa_trie

from kg.linking.corpus import Document
from kg.linking.normalise import key_of, words_of

__all__ = ["Counts", "count", "longest_keys"]


@dataclass
class Counts:
    """Uses of names (by key) and of words in a corpus."""

    cuis: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    """key -> cui -> gold mentions"""
    papers: Counter[str] = field(default_factory=Counter)
    """key -> documents with a gold mention of it"""
    found: Counter[str] = field(default_factory=Counter)
    """key -> places where it is the longest name"""
    true: Counter[str] = field(default_factory=Counter)
    """key -> those of the places that are a gold mention, exactly"""
    words: Counter[str] = field(default_factory=Counter)
    """word -> places"""
    inside: Counter[str] = field(default_factory=Counter)
    """word -> places in a gold mention"""
    joined: tuple[Counter[str], Counter[str]] = field(
        default_factory=lambda: (Counter(), Counter())
    )
    """word -> places whose mention goes on to its left / to its right"""


def count(documents: Iterable[Document], names: marisa_trie.Trie) -> Counts:
    """Counts over documents; `names` are the keys to look for."""
    counts = Counts()
    for document in documents:
        _count_mentions(document, counts)
        spans, words = words_of(document.text)
        _count_words(document, spans, words, counts)
        gold = {(start, end) for start, end, _ in document.mentions}
        for first, last, key in longest_keys(words, names):
            counts.found[key] += 1
            counts.true[key] += (spans[first][0], spans[last - 1][1]) in gold
    return counts


def longest_keys(words: list[str], names: marisa_trie.Trie) -> list[tuple[int, int, str]]:
    """First word, word after the last and key of each name, leftmost-longest."""
    joined = " ".join([*words, ""])
    matches = []
    word = position = 0
    while word < len(words):
        keys = names.prefixes(joined[position : position + 300])
        step = keys[-1].count(" ") if keys else 1
        if keys:
            matches.append((word, word + step, keys[-1]))
        position += sum(map(len, words[word : word + step])) + step
        word += step
    return matches


def _count_mentions(document: Document, counts: Counts) -> None:
    keys = [(key_of(document.text[start:end]), cui) for start, end, cui in document.mentions]
    for key, cui in keys:
        counts.cuis[key][cui] += 1
    counts.papers.update({key for key, _ in keys})


def _count_words(
    document: Document, spans: list[tuple[int, int]], words: list[str], counts: Counts
) -> None:
    mention_at = {
        place: number
        for number, (start, end, _) in enumerate(document.mentions)
        for place in range(start, end)
    }
    owner = [mention_at.get(start) for start, _ in spans]
    counts.words.update(words)
    for place, word in enumerate(words):
        if owner[place] is None:
            continue
        counts.inside[word] += 1
        counts.joined[0][word] += place > 0 and owner[place - 1] == owner[place]
        counts.joined[1][word] += owner[place + 1 : place + 2] == [owner[place]]
