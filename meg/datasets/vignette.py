"""A patient in words: one question of who has which disease, with its mentions."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kg.linking.mention import Candidate, Mention
from meg.datasets.question import Mentions

__all__ = ["Case", "question_fields"]

SEXES = {"FEMALE": "female", "MALE": "male", "OTHER_SEX": "of another sex"}
"""Of the phenopacket schema; unknown ones are not told."""

AGE = re.compile(r"P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T.*)?")
"""ISO 8601 duration; only its largest unit is told."""

UNITS = ("year", "month", "week", "day")


@dataclass(frozen=True)
class Case:
    """What a question tells of a patient: cuis of findings and absent findings, sex, age."""

    findings: tuple[str, ...]
    absent: tuple[str, ...] = ()
    sex: str = ""
    age: str = ""


def question_fields(case: Case, options: Sequence[str], names: Mapping[str, str]) -> dict[str, Any]:
    """`stem`, `options` and `mentions` of a question about a case; `options` are cuis.

    The findings that the patient has are mentions, so are the diseases; absent findings stand in a
    sentence of their own and are none.
    """
    about = ", ".join(filter(None, (SEXES.get(case.sex, ""), age_in_words(case.age))))
    text = f"A patient{f' ({about})' if about else ''} has these findings: "
    mentions = []
    for place, cui in enumerate(case.findings):
        start = len(text)
        text += names[cui]
        mentions.append(_mention(start, len(text), cui))
        text += "; " if place + 1 < len(case.findings) else "."
    if case.absent:
        text += f" Not found: {'; '.join(names[cui] for cui in case.absent)}."
    of_options = tuple((_mention(0, len(names[cui]), cui),) for cui in options)
    return {
        "stem": f"{text} Which disease is it?",
        "options": tuple(names[cui] for cui in options),
        "mentions": Mentions(stem=tuple(mentions), options=of_options),
    }


def age_in_words(duration: str) -> str:
    """ "34 years" of P34Y2M; empty for what is no duration or one of less than a day."""
    match = AGE.fullmatch(duration)
    parts = zip(match.groups() if match else (), UNITS, strict=False)
    told = ((int(number), unit) for number, unit in parts if number and int(number))
    return next((f"{n} {unit}{'s' if n > 1 else ''}" for n, unit in told), "")


def _mention(start: int, end: int, cui: str) -> Mention:
    return Mention(start, end, (Candidate(cui, 1.0),))
