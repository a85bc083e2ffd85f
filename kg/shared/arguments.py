"""Lists and tables on a command line: every item is taken as it stands.

pydantic-settings reads the items of a list as JSON or as text with commas, so that
`--option "classic type, mild"` would be two options and `--option "[Ca2+]"` an error.
"""

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from typing import Any, get_args, get_origin

from pydantic import BaseModel

from kg.shared.errors import InputError

__all__ = ["parse_arguments"]


def parse_arguments(
    model: type[BaseModel], parser: ArgumentParser, arguments: Sequence[str]
) -> Namespace:
    """The arguments of `model`'s parser by name, each list as the JSON that pydantic decodes.

    An item of a list is one argument, whatever it holds; a table takes `name=value` once for each
    entry, or a JSON object; a list of sections is a JSON array. Raises InputError for no JSON.
    """
    found = ArgumentParser.parse_args(parser, arguments)
    for name, value in vars(found).items():
        if isinstance(value, list):
            setattr(found, name, _as_json(name, list(_parts(_annotation(model, name))), value))
    return found


def _annotation(model: type[BaseModel], path: str) -> Any:
    """Of a field that is named with the fields above it: config.sources."""
    name, _, below = path.partition(".")
    fields = {field.alias or own: field for own, field in model.model_fields.items()}
    annotation = fields[name].annotation
    if not below:
        return annotation
    inner = below.partition(".")[0]
    sections = [part for part in _parts(annotation) if inner in getattr(part, "model_fields", ())]
    return _annotation(sections[0], below)


def _parts(annotation: Any) -> Iterator[Any]:
    """An annotation and all that it is made of."""
    yield annotation
    for part in get_args(annotation):
        yield from _parts(part)


def _as_json(name: str, parts: Sequence[Any], items: Sequence[str]) -> str:
    if any(get_origin(part) is dict for part in parts):
        lone = get_origin(parts[0]) is not dict and "=" not in items[0] and items[0][:1] != "{"
        return items[0] if lone else _table(name, items)
    if any(isinstance(part, type) and issubclass(part, BaseModel) for part in parts):
        return json.dumps([section for item in items for section in _decoded(name, item, list)])
    return json.dumps(items)


def _table(name: str, items: Sequence[str]) -> str:
    entries: dict[str, Any] = {}
    for item in items:
        key, sign, value = item.partition("=")
        pair = sign and key[:1] != "{"
        entries |= {key: value} if pair else _decoded(name, item, dict)
    return json.dumps(entries)


def _decoded(name: str, text: str, kind: type) -> Any:
    expected = "a JSON array [...]" if kind is list else "name=value or a JSON object {...}"
    try:
        value = json.loads(text)
    except ValueError as error:
        raise InputError(f"--{name} {text!r:.200}: expected {expected} ({error})") from error
    if not isinstance(value, kind):
        raise InputError(f"--{name} {text!r:.200}: expected {expected}")
    return value
