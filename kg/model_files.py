"""Where a model's files are: a hub id, a path, or the data of an installed Python package."""

import importlib.util
from pathlib import Path

from kg.errors import InputError

__all__ = ["locate"]

PREFIX = "package:"


def locate(name: str) -> str:
    """`package:<python package>/<path in it>` as a path; any other name unchanged.

    The package is found without importing it. Raises InputError when it is not installed or
    lacks the path.
    """
    if not name.startswith(PREFIX):
        return name
    package, _, inside = name.removeprefix(PREFIX).partition("/")
    spec = importlib.util.find_spec(package) if package.isidentifier() else None
    if spec is None or not spec.submodule_search_locations:
        raise InputError(
            f"{name}: the Python package {package!r} is not installed; "
            f"`pip install {package.replace('_', '-')}`, or name a folder or a hub id"
        )
    path = Path(spec.submodule_search_locations[0]) / inside
    if not path.exists():
        raise InputError(f"{name}: the package {package!r} has no {inside!r} ({path})")
    return str(path)
