"""JSON files whose fields are described: written and read here, and nowhere else.

A file says its format, with a version. One that says none is of the first version.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from pydantic import ValidationError

from kg.shared.artefact import read_json, write_json
from kg.shared.command import Section
from kg.shared.errors import InputError

__all__ = ["Document", "read_document", "write_document"]


class Document(Section):
    """A JSON file; a subclass gives `format` its one value and says which command makes it."""

    made_by: ClassVar[str]
    format: str


Kind = TypeVar("Kind", bound=Document)


def write_document(path: Path, document: Document) -> None:
    """Write every field, under the name that the description gives."""
    write_json(path, document.model_dump(mode="json", by_alias=True))


def read_document(path: Path, *kinds: type[Kind]) -> Kind:
    """Read a file of one of these kinds.

    Raises InputError where it is missing, of another kind or version, or lacks a field.
    """
    makers = " or ".join(dict.fromkeys(one.made_by for one in kinds))
    values = read_json(path, f"make it with {makers}")
    if not isinstance(values, dict):
        raise InputError(f"{path} holds no fields; name a file that {makers} wrote")
    found = _kind(values, kinds)
    if found is None:
        formats = " or ".join(map(_format, kinds))
        raise InputError(
            f"{path} has the format {values['format']!r}, expected {formats}; make it again with "
            f"{makers}"
        )
    try:
        return found.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        raise InputError(
            f"{path} is no {_format(found)} ({error.error_count()} wrong fields, first "
            f"{'.'.join(map(str, first['loc']))}: {first['msg']}); name a file that {makers} "
            "wrote, or make it again"
        ) from error


def _kind(values: dict[str, Any], kinds: Sequence[type[Kind]]) -> type[Kind] | None:
    """The kind of the file's format; of no format, the one that it lacks the fewest fields of."""
    if "format" in values:
        return next((kind for kind in kinds if _format(kind) == values["format"]), None)
    return min(kinds, key=lambda kind: len(_required(kind) - values.keys()))


def _required(kind: type[Document]) -> set[str]:
    return {field.alias or name for name, field in kind.model_fields.items() if field.is_required()}


def _format(kind: type[Document]) -> str:
    return str(kind.model_fields["format"].default)
