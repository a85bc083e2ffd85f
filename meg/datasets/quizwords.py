"""A relation's name as the words of a question: may_treat -> "Which of these may treat X?"."""

import re

from kg.graph.tables import PARENT_RELATIONS

__all__ = ["made_wording"]

PARTS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
"""Words of snake_case, kebab-case, camelCase; abbreviations stay whole."""

VERBS = frozenset(
    {"is", "are", "was", "can", "could", "does", "has", "may", "might", "must", "will"}
)

LINKS = frozenset({"at", "by", "for", "from", "in", "into", "of", "on", "to", "with"})
"""After a noun or a participle: part_of, associated_with."""


def made_wording(relation: str, answering: str) -> str:
    """The question for the head or for the tail of a fact, with {name} for its other end."""
    phrase, by = _phrase(relation)
    if answering == "head":
        return f"Which of these {phrase} {{name}}{by}?"
    return f"{{name}} {phrase} which of these{by}?"


def _phrase(relation: str) -> tuple[str, str]:
    """The verb between the ends of a fact, and what is said behind the last one."""
    if relation in PARENT_RELATIONS:
        return "is a kind of", ""
    words = [word if word.isupper() else word.lower() for word in PARTS.findall(relation)]
    if not words:
        return "is linked to", f' by "{_plain(relation)}"'
    text = " ".join(words)
    # treats, causes; not diagnosis, process, virus.
    if words[0] in VERBS or (words[0][-1] == "s" and words[0][-2:] not in ("is", "ss", "us")):
        return text, ""
    if LINKS & set(words[1:]):
        return f"is {text}", ""
    return "is linked to", f' by "{text}"'


def _plain(relation: str) -> str:
    return relation.replace("{", "{{").replace("}", "}}")
