"""What commands import: python -m tests.workflow.imported kg.hpo kg.link,kg.linking.fit

Prints JSON: command -> modules of the project that are there after its --help, and after the
modules named behind it, which its functions import. Each command runs in a fork of its own.
"""

import importlib
import json
import os
import runpy
import sys
from contextlib import redirect_stdout, suppress

from tests.workflow.forks import import_libraries, own_modules


def imported(command: str, later: list[str]) -> list[str]:
    """Modules of the project in a fork that was asked for the command's help."""
    read, write = os.pipe()
    if not os.fork():
        sys.argv = [command, "--help"]
        with redirect_stdout(sys.stderr), suppress(SystemExit):
            runpy.run_module(command, run_name="__main__", alter_sys=True)
        for name in later:
            importlib.import_module(name)
        os.write(write, json.dumps(own_modules()).encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as pipe:
        return json.load(pipe)


if __name__ == "__main__":
    import_libraries()
    commands = [argument.split(",") for argument in sys.argv[1:]]
    json.dump({name: imported(name, later) for name, *later in commands}, sys.stdout)
