"""Records in JSON lines to the same records with the mentions of their texts.

A record is any JSON object; its texts are `stem` and `context` (strings) and `options` (a list of
strings), each optional. What else it holds passes through unchanged.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from kg.linking.linker import Linker
from kg.linking.mention import Mention
from kg.linking.scispacy import ScispacyLinker
from kg.shared.artefact import replacing
from kg.shared.errors import InputError
from kg.shared.lines import json_lines

__all__ = ["Tally", "ground", "read_records", "write_records"]


@dataclass
class Tally:
    """Counts over the texts that were linked."""

    records: int = 0
    records_kept: int = 0
    """Whose mentions came with them."""
    texts: int = 0
    texts_without_mention: int = 0
    mentions: int = 0
    cuis: set[str] = field(default_factory=set)

    def add(self, mentions: list[Mention]) -> None:
        """Count one text; of a mention the best candidate's cui."""
        self.texts += 1
        self.texts_without_mention += not mentions
        self.mentions += len(mentions)
        self.cuis.update(mention.candidates[0].cui for mention in mentions)

    def summary(self) -> dict[str, int]:
        """The counts as JSON."""
        counts = {name: value for name, value in vars(self).items() if name != "cuis"}
        return counts | {"distinct_cuis": len(self.cuis)}


def ground(
    records: Iterable[dict[str, Any]], linker: Linker | ScispacyLinker, tally: Tally
) -> Iterator[dict[str, Any]]:
    """Each record with `mentions`: lists of mentions under `stem`, `context` and, one an option,
    `options`; empty texts are not counted. Mentions that came with a record stay as they are."""

    def link(text: str, beside: str) -> list[dict[str, Any]]:
        mentions = linker.link(text, beside)
        if text:
            tally.add(mentions)
        return [asdict(mention) for mention in mentions]

    for record in records:
        tally.records += 1
        if record.get("mentions") is not None:
            tally.records_kept += 1
            yield record
            continue
        stem, context = record.get("stem", ""), record.get("context", "")
        question = f"{stem}\n{context}".strip()
        mentions = {
            "stem": link(stem, context),
            "context": link(context, stem),
            "options": [link(option, question) for option in record.get("options", [])],
        }
        yield record | {"mentions": mentions}


def read_records(path: Path) -> Iterator[dict[str, Any]]:
    """Objects of a JSON-lines file; a bad line raises InputError with file, line and reason."""
    for number, record in json_lines(path, "make it with meg.questions", may_be_empty=True):
        yield _checked(record, f"{path} line {number}")


def write_records(path: Path, records: Iterable[dict[str, Any]]) -> None:
    """Write a JSON-lines file, one object a line."""
    with (
        replacing(path) as temporary,
        temporary.open(
            "w",
            encoding="utf-8",
            errors="backslashreplace",  # Half a surrogate pair as JSON writes it: \\ud800.
            newline="\n",
        ) as file,
    ):
        for record in records:
            file.write(json.dumps(record, ensure_ascii=False) + "\n")


def _checked(record: dict[str, Any], where: str) -> dict[str, Any]:
    options = record.get("options", [])
    texts = [record.get("stem", ""), record.get("context", "")]
    if not isinstance(options, list) or not all(isinstance(text, str) for text in texts + options):
        raise InputError(
            f"{where}: expected strings in stem and context and a list of strings in options"
        )
    return record
