"""Does a text mean the concept of a name here? A logistic model of the name's place.

The link probability of `kg.linking.fit` knows the name alone. This model adds the words around it
(`kg.linking.context`), and how often the text has the name and its concept, by any name.
Learned by `kg.linking.fit_accept`; arrays in one .npz, nothing is unpickled.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from kg.linking.context import Context
from kg.shared.artefact import replacing
from kg.shared.damage import check_file
from kg.shared.errors import InputError

__all__ = ["LEAST_LINK", "Accept", "Place", "features", "read_accept", "write_accept"]

LEAST_LINK = 0.2
"""Names of a lower link probability are not judged but passed over, as a longer name hides shorter
ones. From 0.15 to 0.3 document F1 hardly changes (docs/reference/benchmarks.md)."""

OPEN = -8.0
"""Log-odds of a gap or word beyond the text's ends; all are clipped to this size."""

Place = tuple[int, int, int, float, str]
"""First word, word after the last, number of the name, its link probability and best cui."""


@dataclass(frozen=True)
class Accept:
    """The learned model."""

    context: Context
    coefficients: np.ndarray
    """(feature,)"""
    intercept: float
    threshold: float
    """The probability that gave the best document F1 on the papers learned from."""

    def probabilities(
        self, words: Sequence[str], gaps: Sequence[str], places: Sequence[Place]
    ) -> np.ndarray:
        """(place,): that the text means the best concept of the name there."""
        rows = features(self.context, words, gaps, places)
        return 1 / (1 + np.exp(-(rows @ self.coefficients + self.intercept)))


def features(
    context: Context, words: Sequence[str], gaps: Sequence[str], places: Sequence[Place]
) -> np.ndarray:
    """(place, feature); at least one place."""
    inside, joined = (np.clip(part, OPEN, -OPEN) for part in context.scores(words, gaps))
    inside = np.concatenate([[OPEN], inside, [OPEN]])
    joined = np.concatenate([[OPEN], joined])
    joined[-1] = OPEN
    firsts, lasts, names, links, cuis = zip(*places, strict=True)
    first, last, link = np.array(firsts), np.array(lasts), np.clip(links, 0.01, 0.99)
    # reduceat takes ranges one after another: of each two, the first is the place's.
    words_in = np.stack([first + 1, last + 1], axis=1).ravel()
    gaps_in = np.stack([first + 1, last], axis=1).ravel()
    of_name, of_cui = Counter(names), Counter(cuis)
    columns = [
        np.log(link / (1 - link)),
        np.log([of_name[name] for name in names]),
        np.log([of_cui[cui] for cui in cuis]),
        np.log(last - first),
        joined[first],
        joined[last],
        np.where(last - first > 1, np.minimum.reduceat(joined, gaps_in)[::2], -OPEN),
        np.minimum.reduceat(inside, words_in)[::2],
        np.maximum.reduceat(inside, words_in)[::2],
        np.add.reduceat(inside, words_in)[::2] / (last - first),
        inside[first],
        inside[last + 1],
    ]
    return np.stack(columns, axis=1)


def write_accept(path: Path, model: Accept) -> None:
    """Write the model's file."""
    tokens = json.dumps(list(model.context.index)).encode()
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez(
            file,
            allow_pickle=False,
            tokens=np.frombuffer(tokens, dtype=np.uint8),
            weights=model.context.weights,
            bias=model.context.bias,
            coefficients=model.coefficients,
            scalars=np.array([model.intercept, model.threshold]),
        )


def read_accept(path: Path) -> Accept:
    """Read a model's file; one that is not whole raises InputError."""
    check_file(path, "make it with `kg.link fit --accept`")
    try:
        with np.load(path, allow_pickle=False) as file:
            tokens = json.loads(file["tokens"].tobytes())
            index = {token: row for row, token in enumerate(tokens, 1)}
            context = Context(index, file["weights"], file["bias"])
            intercept, threshold = file["scalars"].tolist()
            return Accept(context, file["coefficients"], intercept, threshold)
    except (OSError, EOFError, ValueError, KeyError, BadZipFile) as error:
        raise InputError(
            f"{path} is no accept model ({error}); make it with `kg.link fit --accept`"
        ) from error
