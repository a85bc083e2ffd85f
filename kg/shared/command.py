"""What every `python -m kg.X` and `python -m meg.X` shares: flags from a model, logging, errors.

A command is a pydantic model whose fields are its inputs, outputs and its section of the config;
pydantic-settings turns the fields into flags. `--config '{"dim": 128}'` sets a whole section,
`--config.dim 128` one value of it. An option that takes a list is given once for each item, which
is taken verbatim; only a section's JSON can make a list empty. The environment's variables are no
input.
"""

import errno
import logging
import signal
import sys
from abc import abstractmethod
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_settings import (
    BaseSettings,
    CliApp,
    CliSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from kg.shared.arguments import parse_arguments
from kg.shared.errors import InputError, Preempted

__all__ = ["Command", "Section", "command_line", "main"]

PREEMPTED = 128 + signal.SIGTERM
"""A shell's status of what SIGTERM ended."""

log = logging.getLogger(__name__)


class Section(BaseModel):
    """A part of the configuration: immutable, unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Command(BaseModel):
    """One stage's command line: parse -> load -> call -> save."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    @abstractmethod
    def run(self) -> None:
        """Load the inputs, call the stage's function, save the outputs."""

    def cli_cmd(self) -> None:
        """Entry point that pydantic-settings calls."""
        self.run()


class _Settings(BaseSettings):
    """How a command line is read; variables of the environment that are named alike are not."""

    model_config = SettingsConfigDict(
        case_sensitive=True,
        nested_model_default_partial_update=True,
        cli_avoid_json=True,
        cli_enforce_required=True,
        cli_hide_none_type=True,
        cli_implicit_flags=True,
        cli_kebab_case=True,
        cli_shortcuts={"verbose": "v"},
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        *_: PydanticBaseSettingsSource,
        **__: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """None but what the command line says."""
        return (init_settings,)


def main(command: type[Command], arguments: list[str] | None = None) -> None:
    """Run `command` on the process's arguments; bad input ends with one line and status 2.

    So does a file or folder that may not be read or written. Status 143 is that of a job that
    SIGTERM stopped and that can be continued.
    """
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(name)s: %(message)s"
    )
    source = command_line(command)
    try:
        CliApp.run(source.settings_cls, cli_args=arguments, cli_settings_source=source)
    except ValidationError as error:
        lines = [
            f"{'.'.join(map(str, item['loc']))}: {item['msg']} (got {item['input']!r:.200})"
            for item in error.errors()
        ]
        sys.exit(_fail("wrong arguments: " + "; ".join(lines)))
    except SettingsError as error:
        sys.exit(_fail(f"wrong arguments: {error}: {error.__cause__}"))
    except InputError as error:
        sys.exit(_fail(str(error)))
    except Preempted as stopped:
        log.warning("%s", stopped)
        sys.exit(PREEMPTED)
    except OSError as error:
        if not isinstance(error, PermissionError) and error.errno != errno.EROFS:
            raise
        sys.exit(
            _fail(
                f"permission denied: {error.filename}; ask its owner to let you at it (chmod), or "
                "name another file or folder (for a home that cannot be written: "
                "docs/how-to/slurm.md)"
            )
        )


def _program(command: type[Command]) -> str:
    """What a person types: `kg train` of kg.train, `kg store` of kg.store.__main__."""
    spec = sys.modules[command.__module__].__spec__
    name = spec.name if spec is not None else Path(sys.argv[0]).name
    return name.removesuffix(".__main__").replace(".", " ")


def command_line(command: type[Command]) -> CliSettingsSource:
    """The parser of a command, with its settings; `root_parser` is argparse's."""
    namespace = {"__doc__": command.__doc__, "__module__": command.__module__}
    settings: Any = type(command.__name__, (_Settings, command), namespace)
    return CliSettingsSource(
        settings,
        cli_prog_name=_program(command),
        parse_args_method=partial(parse_arguments, command),
    )


def _fail(message: str) -> int:
    sys.stderr.write(f"error: {message}\n")
    return 2
