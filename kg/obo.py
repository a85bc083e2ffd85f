"""Terms of an ontology in the OBO 1.2 flat format, as far as `kg.hpo` needs them.

The format: https://owlcollab.github.io/oboformat/doc/GO.format.obo-1_2.html. Relations other
than is_a, subsets and provenance are not read.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from kg.errors import InputError

__all__ = ["Term", "read_obo"]

QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"\s*(\w*)')
"""A quoted text and, for synonyms, its scope."""


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
    if not path.is_file():
        raise InputError(f"{path} does not exist; expected an ontology in OBO format")
    # Only "\n" ends a line: definitions may hold characters that str.splitlines splits at.
    with path.open(encoding="utf-8", newline="\n") as file:
        terms = list(_terms(file))
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
    elif key == "xref" and value.startswith("UMLS:"):
        term.cuis.append(value.split(maxsplit=1)[0].removeprefix("UMLS:"))
    elif key in ("def", "synonym") and (match := QUOTED.match(value)):
        text = _unescaped(match[1])
        if key == "def":
            term.definition = text
        else:
            term.synonyms.append((text, match[2]))


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)
