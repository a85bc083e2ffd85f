"""A digest of the project's code behind a command, so that Snakemake re-runs what an edit concerns.

Snakemake sees a rule's shell command, not the modules it starts. Each rule therefore carries, as a
param, the digest of all modules of this project that its command imports, directly or not.
Comments, layout and docstrings do not count.
"""

import ast
import hashlib
from collections.abc import Iterator
from pathlib import Path

__all__ = ["source_digest"]

PACKAGES = ("kg", "meg")

BY_VALUE = {"kg.config", "meg.config"}
"""Modules that only declare sections: what they hold reaches a rule as the values in its params."""


def source_digest(root: Path, module: str) -> str:
    """Digest of the code that `python -m module` runs, `root` being the folder of the packages.

    Raises ValueError when the module is not there.
    """
    if _path(root, module) is None:
        raise ValueError(f"{root} has no module {module}")
    found: dict[str, str] = {}
    left = [module]
    while left:
        name = left.pop()
        path = _path(root, name)
        if path is None or name in found or name in BY_VALUE:
            continue
        found[name], imported = _read(path, name)
        left += imported
    return hashlib.sha256(repr(sorted(found.items())).encode()).hexdigest()[:16]


def _path(root: Path, module: str) -> Path | None:
    """File of a module of the project; of a package its __main__ is a module of its own."""
    if module.partition(".")[0] not in PACKAGES:
        return None
    base = root.joinpath(*module.split("."))
    paths = (base.with_suffix(".py"), base / "__init__.py")
    return next((path for path in paths if path.is_file()), None)


def _read(path: Path, module: str) -> tuple[str, list[str]]:
    """A module's code without its docstrings, and the modules it may import."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imported = [*_parents(module), *_imports(tree)]
    if path.name == "__init__.py":
        imported.append(f"{module}.__main__")
    return ast.dump(_without_docstrings(tree)), imported


def _parents(module: str) -> list[str]:
    """Packages whose __init__ runs before the module's own code."""
    parts = module.split(".")
    return [".".join(parts[:length]) for length in range(1, len(parts))]


def _imports(tree: ast.Module) -> Iterator[str]:
    """Every name that could be a module: of `from a import b` both a and a.b."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from (*_parents(alias.name), alias.name)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (*_parents(node.module), node.module)
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [part for part in node.body if not _is_text(part)]
    return tree


def _is_text(statement: ast.stmt) -> bool:
    value = statement.value if isinstance(statement, ast.Expr) else None
    return isinstance(value, ast.Constant) and isinstance(value.value, str)
