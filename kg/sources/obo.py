"""Terms of an ontology in the OBO format, by the parser fastobo, as far as `kg.hpo` needs them.

The format: https://owlcollab.github.io/oboformat/doc/obo-syntax.html. Relations other than is_a,
subsets and provenance are not read.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import fastobo
from fastobo.id import PrefixedIdent, UnprefixedIdent, Url
from fastobo.term import (
    AltIdClause,
    DefClause,
    IsAClause,
    IsObsoleteClause,
    NameClause,
    SynonymClause,
    TermFrame,
    XrefClause,
)

from kg.shared.errors import InputError
from kg.shared.lines import numbered_lines

__all__ = ["Term", "read_obo"]

CUI = re.compile(r"UMLS:(C[A-Z]?\d+)")
"""C0000012, or CL999999 of the NCI Metathesaurus. A release has a reference without the C: that is
no concept."""

NEXT_STEP = "copy or download the ontology again"


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
    """All terms of the file, obsolete ones included, in its order.

    Trailing modifiers `{...}` and comments `! ...` are part of no value. Raises InputError, with
    the line, for what is not OBO; also for a last line that is cut off.
    """
    if not path.is_file():
        raise InputError(f"{path} does not exist; {NEXT_STEP}")
    try:
        terms = [_term(frame) for frame in _frames(path)]
    except SyntaxError as error:
        raise InputError(
            f"{path} line {error.lineno} is not OBO: {error.msg}, got {error.text!r:.200}; is the "
            f"file truncated? {NEXT_STEP}"
        ) from error
    if not terms:
        raise InputError(f"{path} holds no [Term] stanza; is it an OBO file?")
    return terms


def _frames(path: Path) -> Iterator[TermFrame]:
    try:
        yield from (one for one in fastobo.iter(str(path), threads=1) if type(one) is TermFrame)
    except OSError:
        # fastobo does not say where the bytes are that are no text.
        for _ in numbered_lines(path, NEXT_STEP):
            pass
        raise


def _term(frame: TermFrame) -> Term:
    term = Term(_text(frame.id))
    for clause in frame:
        _add(term, clause)
    return term


def _add(term: Term, clause: object) -> None:
    match clause:
        case NameClause():
            term.name = clause.name.strip()
        case DefClause():
            term.definition = clause.definition
        case SynonymClause():
            term.synonyms.append((clause.synonym.desc, clause.synonym.scope))
        case IsAClause():
            term.parents.append(_text(clause.term))
        case AltIdClause():
            term.alternatives.append(_text(clause.alt_id))
        case IsObsoleteClause():
            term.obsolete = clause.obsolete
        case XrefClause():
            if found := CUI.fullmatch(_text(clause.xref.id)):
                term.cuis.append(found[1])


def _text(ident: PrefixedIdent | UnprefixedIdent | Url) -> str:
    """An id as it is meant: fastobo writes it with the escapes of the format."""
    if isinstance(ident, PrefixedIdent):
        return f"{ident.prefix}:{ident.local}"
    return ident.unescaped if isinstance(ident, UnprefixedIdent) else str(ident)
