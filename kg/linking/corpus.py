"""Texts with gold mentions, in JSON lines: what a linker learns from and is scored on.

A line is {"pmid" or "id": ..., "text": ..., "mentions": [{"start", "end", "cui"}]}, MedMentions as
one object a paper; offsets count characters. A line without mentions only says how often words
occur; there, `stem` and `context` of a question serve as its text too.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kg.linking.mention import check_span
from kg.shared.errors import InputError
from kg.shared.lines import json_lines

__all__ = ["Document", "held_out", "read_corpus"]


@dataclass(frozen=True)
class Document:
    """A text and its gold mentions (start, end, cui)."""

    id: str
    text: str
    mentions: tuple[tuple[int, int, str], ...] = ()


def read_corpus(path: Path) -> list[Document]:
    """Documents of a .jsonl or .jsonl.gz file; a bad line raises InputError naming it."""
    return list(_documents(path))


def held_out(documents: Iterable[Document], share: float) -> tuple[list[Document], list[Document]]:
    """Documents to learn from and documents to score on: about `share`, chosen by their id."""
    parts: tuple[list[Document], list[Document]] = ([], [])
    for document in documents:
        digest = hashlib.sha256(document.id.encode()).digest()
        parts[int.from_bytes(digest[:8], "big") < share * 2**64].append(document)
    return parts


def _documents(path: Path) -> Iterator[Document]:
    for number, record in json_lines(path, "expected JSON lines (docs/explanation/linking.md)"):
        try:
            yield _document(record, number)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(
                f"{path} line {number}: {error!r}; expected an object with text and mentions "
                "of start, end (inside the text) and cui"
            ) from error


def _document(record: dict[str, Any], number: int) -> Document:
    text = record.get("text")
    if text is None:
        text = f"{record.get('stem', '')}\n{record.get('context', '')}"
        return Document(_id(record, number), text)
    mentions = tuple(
        (int(mention["start"]), int(mention["end"]), str(mention["cui"]))
        for mention in record.get("mentions", [])
    )
    for start, end, _ in mentions:
        check_span(start, end, text)
    return Document(_id(record, number), text, mentions)


def _id(record: dict[str, Any], number: int) -> str:
    """`pmid` or `id`, else the line's number; null is none."""
    given = (record.get(name) for name in ("pmid", "id"))
    return str(next((one for one in given if one is not None), number))
