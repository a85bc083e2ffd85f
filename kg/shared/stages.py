"""The stages of a package, listed and run: what the commands `kg` and `meg` do.

A stage is what `python -m <package>.<stage>` runs. It is listed by its docstring's first line, read
without importing it, so that the list is there at once and needs none of the dependencies.
"""

import ast
import runpy
import sys
from pathlib import Path

__all__ = ["run_stage", "stages"]

MAIN = '__name__ == "__main__"'


def stages(folder: Path) -> dict[str, str]:
    """Stage -> its line, in alphabetical order, of a package in `folder`."""
    found = {}
    for path in [*folder.glob("[!_]*.py"), *folder.glob("*/__main__.py")]:
        text = path.read_text(encoding="utf-8")
        if MAIN in text:
            name = path.parent.name if path.name == "__main__.py" else path.stem
            found[name] = (ast.get_docstring(ast.parse(text)) or "").partition("\n")[0]
    return dict(sorted(found.items()))


def run_stage(folder: Path) -> None:
    """Run the stage that the process's first argument names, on the others; without one, list."""
    package, (_, *arguments) = folder.name, sys.argv
    if not arguments or arguments[0] in {"-h", "--help"}:
        sys.stdout.write(_listed(folder))
        return
    name, *sys.argv[1:] = arguments
    if name not in (known := stages(folder)):
        sys.stderr.write(f"error: {package} has no stage {name!r}, only {', '.join(known)}\n")
        sys.exit(2)
    runpy.run_module(f"{package}.{name}", run_name="__main__", alter_sys=True)


def _listed(folder: Path) -> str:
    found = stages(folder)
    width = max(map(len, found))
    lines = [f"  {name:{width}}  {line}" for name, line in found.items()]
    usage = f"usage: {folder.name} STAGE ...    ({folder.name} STAGE --help explains a stage)"
    return "\n".join([usage, "", *lines]) + "\n"
