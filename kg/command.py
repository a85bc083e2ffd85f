"""What every `python -m kg.X` and `python -m meg.X` shares: flags from a model, logging, errors.

A command is a pydantic model whose fields are its inputs, outputs and its section of the config;
pydantic-settings turns the fields into flags. `--config '{"dim": 128}'` sets a whole section,
`--config.dim 128` one value of it.
"""

import logging
import sys
from abc import abstractmethod

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_settings import CliApp

from kg.errors import InputError

__all__ = ["Command", "Section", "main"]


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


def main(command: type[Command], arguments: list[str] | None = None) -> None:
    """Run `command` on the process's arguments; bad input ends with one line and status 2."""
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(name)s: %(message)s"
    )
    try:
        CliApp.run(command, cli_args=arguments)
    except ValidationError as error:
        lines = [
            f"{'.'.join(map(str, item['loc']))}: {item['msg']} (got {item['input']!r:.200})"
            for item in error.errors()
        ]
        sys.exit(_fail("wrong arguments: " + "; ".join(lines)))
    except InputError as error:
        sys.exit(_fail(str(error)))


def _fail(message: str) -> int:
    sys.stderr.write(f"error: {message}\n")
    return 2
