"""`config/schema.json`, by which editors complete and check the keys of a configuration file.

python -m workflow.schema > config/schema.json

Files are merged, so each holds a part of the configuration: nothing is required of one, and where
one of several sections is meant, any may fit.
"""

import json
import sys
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from meg.config import ModelConfig
from workflow.config import Config
from workflow.reference import PARTS
from workflow.sections import LLM, Dataset, Variant

__all__ = ["schema"]

SECTIONS: dict[str, type[BaseModel]] = {**PARTS, "model": ModelConfig}
"""Keys that hold the part of a section, by which section that is."""


def schema() -> dict[str, Any]:
    """The JSON schema of a file of `config/`."""
    kinds: list[type[BaseModel]] = [Config, *SECTIONS.values()]
    refs, found = models_json_schema([(kind, "validation") for kind in kinds])
    definitions = found["$defs"]
    for kind in (Config, Dataset, LLM, Variant):
        properties = definitions[kind.__name__]["properties"]
        for key in SECTIONS.keys() & properties.keys():
            description = properties[key]["description"]
            properties[key] = {**refs[SECTIONS[key], "validation"], "description": description}
    return _of_parts({"$defs": definitions, "$ref": f"#/$defs/{Config.__name__}"})


def _of_parts(value: Any) -> Any:
    """A schema of parts: without `required`, and `anyOf` in the place of `oneOf`."""
    if isinstance(value, list):
        return [_of_parts(item) for item in value]
    if not isinstance(value, dict):
        return value
    parts = {key: _of_parts(item) for key, item in value.items()}
    if isinstance(parts.get("required"), list):
        del parts["required"]
    if "oneOf" in parts:
        parts.pop("discriminator", None)
        parts["anyOf"] = parts.pop("oneOf")
    return parts


if __name__ == "__main__":
    sys.stdout.write(json.dumps(schema(), indent=1, sort_keys=True) + "\n")
