"""How likely a name is meant where it stands: by a corpus, else by its form and its concept's kind.

Numbers of a name are those of the trie.
"""

from collections.abc import Callable

import marisa_trie
import numpy as np
import polars as pl

from kg.linking.generic import GENERIC, qualifies
from kg.linking.normalise import fold, is_acronym
from kg.linking.symbols import is_gene, is_symbol

__all__ = ["likelihoods"]


def likelihoods(
    names: marisa_trie.Trie, keys: pl.Series, types: pl.Series, priors: pl.DataFrame, unseen: float
) -> tuple[np.ndarray, np.ndarray]:
    """Of each name its link probability (name,) float16, and whether it is a gene's symbol that
    wants evidence (`kg.linking.symbols`), (name,) bool.

    `keys` are the names in any order, `types` (list of str) the semantic types of each name's best
    concept by its number. Names that the corpus behind `priors` (schema PRIORS) does not know have
    the probability `unseen`, or 0 if they are generic (`kg.linking.generic`) or two capitals.
    """
    link = np.full(len(names), unseen, dtype=np.float16)
    symbol = np.zeros(len(names), dtype=bool)
    for number in _of_kind(types, is_gene):
        symbol[number] = is_symbol(names.restore_key(number))
    generic = [names.get(fold(word) + " ") for word in GENERIC]
    pairs = [names[key] for key in keys.filter(keys.str.len_chars() == 3) if is_acronym(key[:2])]
    link[[number for number in generic if number is not None]] = 0
    link[[number for number in pairs if not symbol[number]]] = 0
    for number in _of_kind(types, qualifies):
        if names.restore_key(number).count(" ") == 1:
            link[number] = 0
    for key, chance in priors.select("key", "link").iter_rows():
        if (number := names.get(key)) is not None:
            link[number], symbol[number] = chance, False
    return link, symbol


def _of_kind(types: pl.Series, kind: Callable[[list[str]], bool]) -> list[int]:
    """Numbers of the names whose best concept's types are of a kind; each set is asked once."""
    joined = types.list.join("\n").fill_null("")
    wanted = [one for one in joined.unique() if kind(one.split("\n"))]
    return np.flatnonzero(joined.is_in(wanted)).tolist()
