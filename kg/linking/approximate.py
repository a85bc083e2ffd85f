"""Names that are nearly a dictionary's: by the cosine of TF-IDF vectors of their letter trigrams.

scispaCy finds its candidates so (Neumann et al. 2019, arXiv 1902.07669). Here it is asked only
where no name stands as it is. A name and its near ones differ in the ending, in the order of words,
in a word more or less; what is found so is right less often (docs/reference/benchmarks.md).
"""

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple
from zipfile import BadZipFile

import numpy as np
from scipy.sparse import csr_matrix, load_npz, save_npz
from sklearn.feature_extraction.text import HashingVectorizer

from kg.linking.generic import FUNCTION_WORDS
from kg.shared.artefact import replacing
from kg.shared.damage import check_file
from kg.shared.errors import InputError

__all__ = ["Approximate", "Near", "read_approximate", "write_approximate"]

MOST_WORDS = 4
"""Of a place that is compared."""

LEAST_LETTERS = 5
"""Of a place, which shorter ones would be near to by chance."""

AT_ONCE = 1000
"""Places that are compared in one product."""

TRIGRAMS = HashingVectorizer(
    analyzer="char_wb", ngram_range=(3, 3), lowercase=False, n_features=2**20, norm=None,
    alternate_sign=False, dtype=np.float32,
)  # fmt: skip
"""Counts of trigrams, each at its hash: nothing is learned, so nothing but the names is stored."""


class Near(NamedTuple):
    """A place in a text and the name that is nearest to it."""

    cosine: float
    first: int
    """Its first word."""
    last: int
    """The word after its last."""
    name: int
    """Number of the name."""


class Approximate:
    """The names of a dictionary by their trigrams."""

    def __init__(self, postings: csr_matrix) -> None:
        """`postings` (trigram, name): unit vectors of the names, in columns."""
        self.postings = postings
        held = np.diff(postings.indptr)
        self.weight = np.log((1 + postings.shape[1]) / (1 + held)).astype(np.float32)

    @classmethod
    def of(cls, names: Sequence[str]) -> "Approximate":
        """Of names in their folded form."""
        counts = TRIGRAMS.transform([*names, ""]).T.tocsr()[:, : len(names)]
        weighted = cls(counts)._weighted(counts.T.tocsr())
        return cls(weighted.T.tocsr())

    def near(self, words: Sequence[str], taken: Collection[int], least: float) -> list[Near]:
        """The places of a text, none with a word of `taken`, that are near to a name: the nearest
        ones first, without overlap, of a cosine of at least `least`."""
        places = list(_places(words, taken))
        found: list[Near] = []
        for start in range(0, len(places), AT_ONCE):
            found += self._nearest(words, places[start : start + AT_ONCE])
        return list(_apart(sorted((one for one in found if one.cosine >= least), reverse=True)))

    def _nearest(self, words: Sequence[str], places: Sequence[tuple[int, int]]) -> Iterator[Near]:
        texts = [" ".join(words[first:last]) for first, last in places]
        cosines = (self._weighted(TRIGRAMS.transform(texts)) @ self.postings).tocsr()
        for row, place in enumerate(places):
            start, end = cosines.indptr[row : row + 2]
            if start < end:
                best = start + int(cosines.data[start:end].argmax())
                yield Near(float(cosines.data[best]), *place, int(cosines.indices[best]))

    def _weighted(self, counts: csr_matrix) -> csr_matrix:
        """Counts (row, trigram) to unit vectors, rare trigrams counting more."""
        weighted = counts.multiply(self.weight).tocsr()
        length = np.sqrt(weighted.multiply(weighted).sum(axis=1)).A1
        return weighted.multiply(1 / np.maximum(length, 1e-9)[:, None]).tocsr()


def write_approximate(path: Path, names: Approximate) -> None:
    """Write the names' file."""
    with replacing(path) as temporary, temporary.open("wb") as file:
        save_npz(file, names.postings)


def read_approximate(path: Path) -> Approximate:
    """Read a names' file; one that is not whole raises InputError."""
    check_file(path, "build the linker again")
    try:
        return Approximate(load_npz(path).tocsr())
    except (OSError, EOFError, ValueError, KeyError, BadZipFile) as error:
        raise InputError(
            f"{path} does not hold the trigrams of names ({error}); build the linker again"
        ) from error


def _places(words: Sequence[str], taken: Collection[int]) -> Iterator[tuple[int, int]]:
    """Runs of a few words, none of them taken, that neither begin nor end with a function word."""
    content = [i not in taken and word not in FUNCTION_WORDS for i, word in enumerate(words)]
    for first in range(len(words)):
        if not content[first]:
            continue
        for last in range(first + 1, min(first + MOST_WORDS, len(words)) + 1):
            if last - 1 in taken:
                break
            letters = sum(map(len, words[first:last]))
            if content[last - 1] and letters >= LEAST_LETTERS:
                yield first, last


def _apart(found: Sequence[Near]) -> Iterator[Near]:
    covered: set[int] = set()
    for one in found:
        own = set(range(one.first, one.last))
        if not own & covered:
            covered |= own
            yield one
