"""What is in a data set's splits, and which questions stand twice."""

from collections import Counter, defaultdict
from typing import Any

from meg.datasets.question import Question
from meg.datasets.splits import NAMES, Splits

__all__ = ["duplicates", "summarise"]


def summarise(splits: Splits) -> dict[str, Any]:
    """Counts of each split, its bad items, the questions that stand more than once."""
    return {
        "splits": {name: _counts(questions) for name, questions in splits},
        "problems": [vars(problem) for problem in splits.problems],
        "duplicates": duplicates(splits),
        "facts": splits.facts,
    }


def duplicates(splits: Splits) -> dict[str, list[list[str]]]:
    """ "train-test" etc. -> groups of ids whose question, context and set of options are equal.

    Letters' case and white space do not count. The key names every split that a group stands in;
    "test-test" are groups within one.
    """
    groups: defaultdict[tuple[str, ...], list[tuple[str, str]]] = defaultdict(list)
    for name, questions in splits:
        for question in questions:
            groups[_content(question)].append((name, question.id))
    found: defaultdict[str, list[list[str]]] = defaultdict(list)
    for group in groups.values():
        if len(group) > 1:
            names = [name for name in NAMES if any(name == split for split, _ in group)]
            key = "-".join(names if len(names) > 1 else names * 2)
            found[key].append([id for _, id in group])
    return dict(found)


def _content(question: Question) -> tuple[str, ...]:
    stem, context, *options = (
        " ".join(text.lower().split())
        for text in (question.stem, question.context, *question.options)
    )
    return (stem, context, *sorted(options))


def _counts(questions: list[Question]) -> dict[str, Any]:
    return {
        "questions": len(questions),
        "kinds": dict(sorted(Counter(question.kind for question in questions).items())),
        "answers": dict(sorted(Counter(question.answer for question in questions).items())),
        "options": dict(sorted(Counter(len(question.options) for question in questions).items())),
    }
