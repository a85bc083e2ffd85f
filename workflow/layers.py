"""Sections made of layers: configured values, and over them what differs from run to run."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from kg.shared.command import Section

__all__ = ["Layer", "Values", "error_lines", "given", "merge", "merged", "seeded"]

Values = dict[str, Any]
Layer = tuple[str, Values]
"""Where values stand in the configuration, and the values."""

AnySection = TypeVar("AnySection", bound=Section)


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> Values:
    """`base` with the values of `over`; mappings are merged, anything else is replaced."""
    result = dict(base)
    for key, value in over.items():
        old = result.get(key)
        both = isinstance(old, Mapping) and isinstance(value, Mapping)
        result[key] = merge(old or {}, value) if both else value
    return result


def merged(kind: type[AnySection], layers: list[Layer]) -> AnySection:
    """The section that the layers make, the last one strongest.

    It is checked as each layer is added: raises ValueError naming the layer that broke it.
    """
    values: Values = {}
    for where, layer in layers:
        values = merge(values, layer)
        try:
            section = kind.model_validate(values)
        except ValidationError as error:
            lines = [f"{where}.{line}" for line in error_lines(error)]
            raise ValueError("; ".join(lines)) from error
    return section


def seeded(section: AnySection, seed: int) -> AnySection:
    """The section with `seed`, where it has a seed and was given none."""
    if "seed" not in type(section).model_fields or "seed" in section.model_fields_set:
        return section
    return section.model_copy(update={"seed": seed})


def given(section: Section) -> Values:
    """The values a section was given, without the defaults."""
    return section.model_dump(mode="json", exclude_unset=True)


def error_lines(error: ValidationError) -> list[str]:
    """One line a wrong key: which, what is wrong with it, what was given."""
    lines = []
    for item in error.errors(include_url=False):
        where = ".".join(map(str, item["loc"]))
        if item["type"] == "value_error":
            lines.append(": ".join(filter(None, [where, str(item["ctx"]["error"])])))
        else:
            lines.append(f"{where}: {item['msg']} (got {item['input']!r:.120})")
    return lines
