"""`docs/reference/commands.md`: every stage's options, from the commands' own fields.

python -m workflow.commands > docs/reference/commands.md
"""

import ast
import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from kg.shared.command import Command
from kg.shared.stages import stages
from workflow.reference import default_of, values_of

__all__ = ["command_of", "commands_page"]

ROOT = Path(__file__).parents[1]

INTRODUCTION = """# Commands

`kg STAGE` and `meg STAGE` are `python -m kg.STAGE` and `python -m meg.STAGE`. `--help` of a stage
says the same as this page. `kg` and `meg` alone list the stages.

An option that takes a section takes JSON, `--config '{"dim": 128}'`, or one value of it,
`--config.dim 128`. The keys of each section are those of
[the configuration](../../config/README.md). An option that takes a list is given once for each
item. Status 0 is success, 2 bad input, and 143 a training that SIGTERM stopped and that the same
command continues.

This page is made from the code by `python -m workflow.commands > docs/reference/commands.md`.
"""


def commands_page() -> str:
    """The page."""
    return "\n".join([INTRODUCTION, *_lines()])


def command_of(module: str) -> type[Command] | None:
    """The command behind `python -m <module>`; None where it has a parser of another kind.

    Raises ModuleNotFoundError where there is no such module.
    """
    found = find_spec(module)
    if found is None:
        raise ModuleNotFoundError(module)
    name = f"{module}.__main__" if found.submodule_search_locations else module
    loaded = import_module(name)
    tree = ast.parse(Path(str(loaded.__file__)).read_text(encoding="utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    for call in calls:
        if isinstance(call.func, ast.Name) and call.func.id == "main" and call.args:
            return getattr(loaded, call.args[0].id) if isinstance(call.args[0], ast.Name) else None
    return None


def _lines() -> Iterator[str]:
    for package in ("kg", "meg"):
        for stage, line in stages(ROOT / package).items():
            yield f"## {package} {stage}\n\n{line}\n"
            command = command_of(f"{package}.{stage}")
            if command is not None:
                yield from _options(f"{package} {stage}", command)


def _options(name: str, command: type[BaseModel]) -> Iterator[str]:
    """A command's table of options, and after it those of its subcommands."""
    subcommands = {
        field.alias or key: _section(field.annotation)
        for key, field in command.model_fields.items()
        if "CliSubCommand" in _marks(field)
    }
    rows = [
        _row(key, field) for key, field in command.model_fields.items() if key not in subcommands
    ]
    rows = [row for row in rows if row]
    if rows and not subcommands:
        yield "| option | values | default | |\n|---|---|---|---|\n" + "\n".join(rows) + "\n"
    for key, section in subcommands.items():
        yield f"### {name} {key}\n\n{(section.__doc__ or '').strip().partition(chr(10))[0]}\n"
        yield from _options(f"{name} {key}", section)


def _row(key: str, field: FieldInfo) -> str:
    marks = _marks(field)
    if "CliSubCommand" in marks:
        return ""
    flag = f"`--{(field.alias or key).replace('_', '-')}`"
    shown = f"`{key.upper()}`" if "CliPositionalArg" in marks else flag
    cells = (shown, values_of(field.annotation), default_of(field), field.description or "")
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _marks(field: FieldInfo) -> set[str]:
    """The kinds of argument that pydantic-settings marks a field as."""
    return {str(getattr(mark, "__name__", mark)).strip("_") for mark in field.metadata}


def _section(annotation: Any) -> type[BaseModel]:
    parts = [annotation, *getattr(annotation, "__args__", ())]
    return next(part for part in parts if isinstance(part, type) and issubclass(part, BaseModel))


if __name__ == "__main__":
    sys.stdout.write(commands_page() + "\n")
