"""A linker against gold mentions: precision, recall and F1, per document and per mention."""

from collections.abc import Iterable

from kg.linking.corpus import Document
from kg.linking.linker import Linker

__all__ = ["evaluate", "scores_table"]


def evaluate(linker: Linker, documents: Iterable[Document]) -> dict[str, dict[str, float]]:
    """`document`: the sets of cuis of each document; `mention`: (start, end, cui) triples.

    Each mention counts with its best candidate; sums over all documents (micro average), percent.
    """
    totals = {"document": [0, 0, 0], "mention": [0, 0, 0]}
    for document in documents:
        found = {(m.start, m.end, m.candidates[0].cui) for m in linker.link(document.text)}
        gold = set(document.mentions)
        _add(totals["mention"], found, gold)
        _add(totals["document"], {cui for *_, cui in found}, {cui for *_, cui in gold})
    return {level: _scores(*total) for level, total in totals.items()}


def scores_table(scores: dict[str, dict[str, float]]) -> str:
    """The scores as a Markdown table."""
    lines = ["| level | precision | recall | F1 |", "|---|---|---|---|"]
    for level, values in scores.items():
        numbers = (f"{values[name]:.1f}" for name in ("precision", "recall", "f1"))
        lines.append(f"| {level} | {' | '.join(numbers)} |")
    return "\n".join(lines)


def _add(total: list[int], found: set, gold: set) -> None:
    for place, number in enumerate((len(found & gold), len(found), len(gold))):
        total[place] += number


def _scores(both: int, found: int, gold: int) -> dict[str, float]:
    return {
        "precision": 100 * both / max(found, 1),
        "recall": 100 * both / max(gold, 1),
        "f1": 200 * both / max(found + gold, 1),
        "found": found,
        "gold": gold,
    }
