"""Names to candidates: a static trie and flat arrays, one folder, memory-mapped.

`names.marisa` numbers the keys (see `kg.linking.normalise`). The candidates of key i are the rows
`first[i]:first[i + 1]` of `concept` (a row of `cui`) and `share` (how the key's uses divide over
its concepts, best first); `link[i]` is the probability that the key is a mention at all,
`symbol[i]` says that it is one where the text speaks of genes only (`kg.linking.symbols`).
`words.marisa` holds the words of the names, for the correction of typing errors. A trie of 4
million names takes a sixth of a hash table's memory and opens unread
(docs/reference/benchmarks.md).
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import marisa_trie
import numpy as np
import polars as pl

from kg.linking.accept import Accept, write_accept
from kg.shared.artefact import read_json, replacing, write_json
from kg.shared.damage import check_file
from kg.shared.errors import InputError

__all__ = [
    "ACCEPT",
    "APPROXIMATE",
    "FORMAT",
    "PRIORS",
    "Dictionary",
    "read_dictionary",
    "read_priors",
    "write_dictionary",
    "write_priors",
]

PRIORS = pl.Schema(
    {"key": pl.String(), "cui": pl.String(), "count": pl.UInt32(), "link": pl.Float32()}
)
"""A row a key and cui: gold mentions with that cui, and the key's link probability; cui is null and
count 0 where a name of the concepts occurs in the corpus and is no mention."""

FORMAT = "meg-linker-2"

ACCEPT = "accept.npz"
"""The accept model in a linker's folder, where one was learned (`kg.linking.accept`)."""

APPROXIMATE = "trigrams.npz"
"""The names by their trigrams, where near ones are to be found (`kg.linking.approximate`)."""

_TRIES = ("names", "words")


@dataclass(frozen=True)
class Dictionary:
    """Keys (K), candidates (C) and concepts (N) of a linker."""

    names: marisa_trie.Trie
    words: marisa_trie.Trie
    first: np.ndarray
    """(K + 1,) uint32"""
    concept: np.ndarray
    """(C,) uint32"""
    share: np.ndarray
    """(C,) float16; the shares of one key sum to 1"""
    link: np.ndarray
    """(K,) float16"""
    symbol: np.ndarray
    """(K,) bool"""
    cui: np.ndarray
    """(N,) bytes, sorted"""
    longest: int
    """Characters of the longest key."""

    def __len__(self) -> int:
        return len(self.link)

    def candidates(self, name: int) -> list[tuple[str, float]]:
        """Cui and share of each concept of a key, best first."""
        rows = range(int(self.first[name]), int(self.first[name + 1]))
        return [(self.cui[self.concept[row]].decode(), float(self.share[row])) for row in rows]

    def strings(self) -> list[str]:
        """The keys in the order of their numbers, without the space at their ends."""
        return [self.names.restore_key(number).rstrip() for number in range(len(self))]


def write_dictionary(
    folder: Path,
    dictionary: Dictionary,
    about: dict[str, Any],
    accept: Accept | None = None,
    near: bool = False,
) -> None:
    """Write a linker's folder; `about` (JSON) says what it was made from and how.

    With `near` the names are written by their trigrams too.
    """
    with replacing(folder) as temporary:
        temporary.mkdir()
        for name in _array_names():
            np.save(temporary / f"{name}.npy", getattr(dictionary, name), allow_pickle=False)
        for name in _TRIES:
            getattr(dictionary, name).save(str(temporary / f"{name}.marisa"))
        if accept is not None:
            write_accept(temporary / ACCEPT, accept)
        if near:
            from kg.linking.approximate import Approximate, write_approximate  # noqa: PLC0415

            write_approximate(temporary / APPROXIMATE, Approximate.of(dictionary.strings()))
        facts = {"format": FORMAT, "longest": dictionary.longest, "about": about}
        write_json(temporary / "linker.json", facts)


def read_dictionary(folder: Path) -> tuple[Dictionary, dict[str, Any]]:
    """A dictionary mapped from its folder, and the `about` it was written with."""
    if not (folder / "linker.json").is_file():
        raise InputError(f"{folder} is not a linker's folder; make it with `kg.link build`")
    again = "build the linker again with `kg.link build`"
    files = ["linker.json", *(f"{n}.marisa" for n in _TRIES), *(f"{n}.npy" for n in _array_names())]
    for name in files:
        check_file(folder / name, again)
    facts = read_json(folder / "linker.json")
    if facts.get("format") != FORMAT:
        raise InputError(
            f"{folder} has the format {facts.get('format')!r}, expected {FORMAT}; "
            "build it again with `kg.link build`"
        )
    tries = {name: _whole(_trie, folder / f"{name}.marisa", again) for name in _TRIES}
    arrays = {name: _whole(_mapped, folder / f"{name}.npy", again) for name in _array_names()}
    return Dictionary(**tries, **arrays, longest=facts["longest"]), facts["about"]


def _array_names() -> list[str]:
    return [field.name for field in fields(Dictionary) if field.type is np.ndarray]


def _whole(read: Callable[[Path], Any], path: Path, next_step: str) -> Any:
    """What `read` makes of a file; InputError where it cannot."""
    try:
        return read(path)
    except (OSError, EOFError, ValueError, RuntimeError) as error:
        raise InputError(f"{path} is cut short or damaged ({error}); {next_step}") from error


def _trie(path: Path) -> marisa_trie.Trie:
    return marisa_trie.Trie().mmap(str(path))


def _mapped(path: Path) -> np.ndarray:
    # A plain view: indexing a np.memmap builds a new memmap each time and is ten times slower.
    return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))


def write_priors(path: Path, priors: pl.DataFrame) -> None:
    """Write `priors.parquet`."""
    with replacing(path) as temporary:
        priors.write_parquet(temporary)


def read_priors(path: Path) -> pl.DataFrame:
    """Read `priors.parquet`, checking its columns."""
    check_file(path, "make it with `kg.link fit`")
    try:
        priors = pl.read_parquet(path)
    except pl.exceptions.PolarsError as error:
        raise InputError(
            f"{path} is not a whole parquet file ({error}); make it with `kg.link fit`"
        ) from error
    if priors.schema != PRIORS:
        raise InputError(f"{path} has the columns {dict(priors.schema)}, expected {dict(PRIORS)}")
    return priors
