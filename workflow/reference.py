"""`config/README.md`: every key of the configuration, from the sections' own descriptions.

python -m workflow.reference > config/README.md
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from kg.shared.command import Section
from meg.config import AlignConfig, FinetuneConfig, PredictConfig, PromptConfig
from workflow.config import Config
from workflow.sections import AnsweringOverrides, Overrides

__all__ = ["PARTS", "default_of", "reference", "sections", "table", "values_of"]

INTRODUCTION = """# Configuration

| file | what |
|---|---|
| [base.yaml](base.yaml) | encoders, variants and their controls; always read first |
| [published.yaml](published.yaml) | the published runs on UMLS, read when no other is named |
| [demo.yaml](demo.yaml) | open data on a CPU: `make demo` |
| [ablations.yaml](ablations.yaml) | the ablations on open data, to be named behind demo or smoke |
| [encoders.yaml](encoders.yaml) | behind ablations.yaml: the LLM with each graph encoder |
| [pubmedqa.yaml](pubmedqa.yaml) | behind demo.yaml: PubMedQA with its controls |
| [patients.yaml](patients.yaml) | behind demo.yaml: [patients](../docs/explanation/patients.md) |
| [own.yaml](own.yaml) | behind demo.yaml: [a graph of your own](../docs/how-to/own-graph.md) |
| [smoke.yaml](smoke.yaml) | the rules and variants of the demo in two minutes, for the tests |
| [deepspeed/](deepspeed) | DeepSpeed settings that `training.deepspeed` may name |

Files are merged over base.yaml in the order they are named, so your own changes need a few lines
only; a file that has `kg`, `datasets`, `models` and `targets` stands alone:

```bash
snakemake --cores all --configfile config/demo.yaml mine.yaml
```

`python -m workflow.show RUN --configfile ...` prints a run's sections with the layer of each value;
[schema.json](schema.json) lets editors complete keys.

A key that does not exist, or a value that does not fit, stops Snakemake at once with the key's
name. YAML reads `1e-4` as text: write `1.0e-4`.

`align`, `prompt`, `finetune` and `predict` may also be set inside a model or a variant; a data set
may set all of these but `align`. Name only the keys that differ. A variant overrides a model, a
model a data set, a data set the top level.

Everything below is made from the code by `python -m workflow.reference > config/README.md`.
"""

PARTS: dict[str, type[Section]] = {
    "align": AlignConfig,
    "prompt": PromptConfig,
    "finetune": FinetuneConfig,
    "predict": PredictConfig,
}
"""Keys whose section is checked only after merging."""


def reference() -> str:
    """The page."""
    return "\n".join([INTRODUCTION, *table("Top level", Config), *_nested()])


def _nested() -> Iterator[str]:
    """A table for each section, in the order of the configuration."""
    for name, field in Config.model_fields.items():
        for section in sections(field.annotation):
            key = f"{name}.<name>" if get_origin(field.annotation) is dict else name
            key = f"{name}[]" if get_origin(field.annotation) is list else key
            yield from _section(key, section)
        if name in PARTS:
            yield from _section(name, PARTS[name])


def _section(key: str, section: type[BaseModel]) -> Iterator[str]:
    left_out = tuple(Overrides.model_fields) if issubclass(section, AnsweringOverrides) else ()
    if section is FinetuneConfig:
        left_out = ("prompt",)
    yield from table(f"`{key}`{_which(section)}", section, left_out=left_out)
    for name, field in section.model_fields.items():
        if name in left_out:
            continue
        for inner in sections(field.annotation):
            yield from _section(f"{key}.{name}", inner)


def _which(section: type[BaseModel]) -> str:
    """Which of the sections that one key may hold."""
    for name in ("source", "encoder"):
        field = section.model_fields.get(name)
        if field and get_origin(field.annotation) is Literal:
            choices = get_args(field.annotation)
            if len(choices) == 1 or name == "encoder":
                return f" with {name} {', '.join(choices)}"
    return ""


def table(
    title: str, section: type[BaseModel], what: str = "key", left_out: tuple[str, ...] = ()
) -> Iterator[str]:
    """One row a key (or `what` its fields are): name, what it may be, its default, what it is."""
    yield f"\n## {title}\n"
    if section.__doc__ and section is not Config:
        yield section.__doc__.strip().split("\n")[0] + "\n"
    yield f"| {what} | values | default | |"
    yield "|---|---|---|---|"
    for name, field in section.model_fields.items():
        if name not in left_out:
            row = (
                f"`{field.alias or name}`",
                values_of(field.annotation),
                default_of(field),
                field.description or "",
            )
            yield "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"


def sections(annotation: Any) -> list[type[BaseModel]]:
    """The sections that a type is made of."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [section for part in get_args(annotation) for section in sections(part)]


def values_of(annotation: Any) -> str:
    """What a value may be, in words."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return ", ".join(f"`{part}`" for part in parts)
    if origin is dict:
        return f"{values_of(parts[1])} by name" if parts[1] is not Any else "section"
    if origin in (list, tuple):
        return f"list of {values_of(parts[0])}"
    if parts:
        words = [values_of(part) for part in parts if not isinstance(part, FieldInfo)]
        return " or ".join(dict.fromkeys(words))
    names = {type(None): "null", str: "text", bool: "true, false", int: "integer", float: "number"}
    return names.get(annotation) or ("path" if annotation is Path else "section")


def default_of(field: FieldInfo) -> str:
    """A default as the tables show it."""
    if field.is_required():
        return "required"
    default = field.default
    if isinstance(default, BaseModel) or default == {}:
        return ""
    if isinstance(default, dict):
        return "see the code"
    text = {None: "null", True: "true", False: "false", "": '""', (): "none"}
    if isinstance(default, list | tuple):
        return ", ".join(map(str, default)) or "none"
    shown = text.get(default) if default in (None, "") or isinstance(default, bool) else None
    return f"`{shown or default}`"


if __name__ == "__main__":
    sys.stdout.write(reference() + "\n")
