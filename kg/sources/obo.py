"""Terms of an ontology in OBO or OBO Graphs JSON, by the parser fastobo.

The formats: https://owlcollab.github.io/oboformat/doc/obo-syntax.html,
https://github.com/geneontology/obographs. Logical definitions, subsets and provenance are not read.
"""

import gzip
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import fastobo
from fastobo.abc import AbstractEntityFrame as EntityFrame
from fastobo.id import PrefixedIdent, UnprefixedIdent, Url
from fastobo.term import (
    AltIdClause,
    DefClause,
    IsAClause,
    IsObsoleteClause,
    NameClause,
    NamespaceClause,
    RelationshipClause,
    SynonymClause,
    TermFrame,
    XrefClause,
)
from fastobo.typedef import NameClause as RelationName
from fastobo.typedef import TypedefFrame

from kg.shared.damage import check_file
from kg.shared.errors import InputError
from kg.shared.lines import json_object, numbered_lines

__all__ = ["Ontology", "Term", "read_obo", "term_keys"]

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
    relations: list[tuple[str, str]] = field(default_factory=list)
    """(relation, term) of each relationship."""
    namespace: str = ""
    obsolete: bool = False


@dataclass
class Ontology:
    """What a file says: its terms, obsolete ones included, in its order."""

    name: str
    terms: list[Term] = field(default_factory=list)
    relations: dict[str, str] = field(default_factory=dict)
    """Names of the [Typedef] stanzas by their ids."""


def read_obo(path: Path) -> Ontology:
    """An ontology in the OBO format (also .gz), or in a .json of OBO Graphs.

    Trailing modifiers `{...}` and comments `! ...` are part of no value. Raises InputError, with
    the line, for what is not OBO; also for a last line that is cut off.
    """
    check_file(path, NEXT_STEP)
    if path.suffix in (".owl", ".rdf", ".ttl", ".ofn", ".omn", ".owx"):
        raise InputError(
            f"{path} is OWL, expected OBO or OBO Graphs JSON; convert it by "
            f"`robot convert -i {path.name} -o {path.stem}.obo` (http://robot.obolibrary.org)"
        )
    ontology = Ontology(path.name.partition(".")[0])
    try:
        for frame in _frames(path):
            if isinstance(frame, TermFrame):
                ontology.terms.append(_term(frame))
            elif isinstance(frame, TypedefFrame):
                ontology.relations[_text(frame.id)] = _name(frame)
    except SyntaxError as error:
        raise InputError(
            f"{path} line {error.lineno} is not OBO: {error.msg}, got {error.text!r:.200}; is the "
            f"file truncated? {NEXT_STEP}"
        ) from error
    if not ontology.terms:
        raise InputError(f"{path} holds no [Term] stanza; is it an OBO file?")
    return ontology


def term_keys(terms: list[Term], umls: bool) -> dict[str, str]:
    """Any id of a term, former ones included -> the concept's key.

    With `umls` that is its UMLS CUI, where it has exactly one and no other term claims it.
    """
    cuis: dict[str, set[str]] = {term.id: set() for term in terms}
    for term in terms:
        cuis[term.id].update(term.cuis if umls else ())
    claims = Counter(cui for found in cuis.values() for cui in found)
    own = {
        id: min(found) if len(found) == 1 and claims[min(found)] == 1 else id
        for id, found in cuis.items()
    }
    former = {id: own[term.id] for term in terms for id in term.alternatives}
    return former | own


def _frames(path: Path) -> Iterator[EntityFrame]:
    if path.suffix == ".json":
        yield from _graph_frames(path)
        return
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            yield from fastobo.iter(file, threads=1)
    except (OSError, EOFError):
        # fastobo does not say where the bytes are that are no text.
        for _ in numbered_lines(path, NEXT_STEP):
            pass
        raise


def _graph_frames(path: Path) -> Iterator[EntityFrame]:
    # fastobo does not survive a file without a graph.
    if not json_object(path, NEXT_STEP).get("graphs"):
        raise InputError(f"{path} holds no graph, expected OBO Graphs JSON; {NEXT_STEP}")
    try:
        yield from fastobo.load_graph(str(path))
    except (ValueError, OSError) as error:
        raise InputError(f"{path} is not OBO Graphs JSON: {error}; {NEXT_STEP}") from error


def _name(frame: TypedefFrame) -> str:
    return next((one.name.strip() for one in frame if isinstance(one, RelationName)), "")


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
        case RelationshipClause():
            term.relations.append((_text(clause.typedef), _text(clause.term)))
        case NamespaceClause():
            term.namespace = _text(clause.namespace)
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
