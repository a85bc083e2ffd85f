"""Terms of an ontology in the OBO 1.2 flat format, as far as `kg.hpo` needs them.

The format: https://owlcollab.github.io/oboformat/doc/GO.format.obo-1_2.html. Relations other
than is_a, subsets and provenance are not read.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from kg.errors import InputError
from kg.lines import numbered_lines

__all__ = ["Term", "read_obo"]

QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"\s*(\w*)')
"""A quoted text and, for synonyms, its scope."""


CUI = re.compile(r"UMLS:(C\d{7})(?!\S)")
"""A release has a reference without the C: that is no concept of UMLS."""

ESCAPED = {"n": "\n", "t": "\t", "W": " "}
"""What stands for another character behind a backslash; all others stand for themselves."""


@dataclass
class Term:
    """One [Term] stanza."""

    id: str
    name: str = ""
    definition: str | None = None
    synonyms: list[tuple[str, str]] = field(default_factory=list)
    """(text, scope); scope is EXACT, NARROW, BROAD or RELATED."""
    parents: list[str] = field(default_factory=list)
    alternatives: list[str] = field(default_factory=list)
    """Former ids of terms merged into this one."""
    cuis: list[str] = field(default_factory=list)
    """UMLS concepts among the cross references."""
    obsolete: bool = False


def read_obo(path: Path) -> list[Term]:
    """All terms of the file, obsolete ones included, in its order."""
    lines = numbered_lines(path, "expected an ontology in OBO format")
    terms = list(_terms(line for _, line in lines))
    if not terms:
        raise InputError(f"{path} holds no [Term] stanza; is it an OBO file?")
    return terms


def _terms(lines: Iterable[str]) -> Iterator[Term]:
    term = None
    in_term = False
    for line in lines:
        if line.startswith("["):
            in_term = line.startswith("[Term]")
        elif in_term:
            key, _, value = line.strip().partition(": ")
            if key == "id":
                term = Term(id=value)
                yield term
            elif term is not None:
                _add(term, key, value)


def _add(term: Term, key: str, value: str) -> None:
    if key == "name":
        term.name = _unescaped(value)
    elif key == "is_obsolete":
        term.obsolete = value.startswith("true")
    elif key == "alt_id":
        term.alternatives.append(value)
    elif key == "is_a":
        term.parents.append(value.split(maxsplit=1)[0])
    elif key == "xref" and (match := CUI.match(value)):
        term.cuis.append(match[1])
    elif key in ("def", "synonym") and (match := QUOTED.match(value)):
        text = _unescaped(match[1])
        if key == "def":
            term.definition = text
        else:
            term.synonyms.append((text, match[2]))


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", lambda match: ESCAPED.get(match[1], match[1]), text)
