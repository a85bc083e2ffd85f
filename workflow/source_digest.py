"""A digest of the project's code behind a command, so that Snakemake re-runs what an edit concerns.

Snakemake sees a rule's shell command, not the modules it starts. Each rule therefore carries, as a
param, the digest of all modules of this project that its command imports, when it starts or in a
function. Comments, layout and docstrings do not count, nor does what the command never runs: the
`if __name__ == "__main__"` of an imported module, `if TYPE_CHECKING`, and the lazy names of a
package (its `__getattr__`) that no module asks for.
"""

import ast
import hashlib
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path

__all__ = ["imported_modules", "source_digest"]

PACKAGES = ("kg", "meg")

BY_VALUE = {"kg.config", "kg.sources.settings", "meg.config", "meg.datasets.settings"}
"""Modules that only declare sections: what they hold reaches a rule as the values in its params."""

LAZY = "__getattr__"


def source_digest(root: Path, module: str) -> str:
    """Digest of the code that `python -m module` runs, `root` being the folder of the packages.

    Raises ValueError when the module is not there.
    """
    code = {name: ast.dump(tree) for name, tree in imported_modules(root, module).items()}
    return hashlib.sha256(repr(sorted(code.items())).encode()).hexdigest()[:16]


def imported_modules(root: Path, module: str) -> dict[str, ast.Module]:
    """Name -> code of the modules that `python -m module` may import, without those BY_VALUE.

    Raises ValueError when the module is not there.
    """
    if _path(root, module) is None:
        raise ValueError(f"{root} has no module {module}")
    inside = f"{module}.__main__"
    entry = inside if _path(root, inside) else module
    found: dict[str, ast.Module] = {}
    left = deque([*_parents(entry), entry])
    while left:
        name = left.popleft()
        path = _path(root, name)
        if path is None:
            left += _lazy_imports(found.get(name.rpartition(".")[0]))
        elif name not in found and name not in BY_VALUE:
            found[name] = _code(path, runs=name == entry)
            left += _imports(part for part in found[name].body if not _is_lazy(part))
    return found


def _path(root: Path, module: str) -> Path | None:
    """File of a module of the project; that of a package is its __init__."""
    if module.partition(".")[0] not in PACKAGES:
        return None
    base = root.joinpath(*module.split("."))
    paths = (base.with_suffix(".py"), base / "__init__.py")
    return next((path for path in paths if path.is_file()), None)


def _parents(module: str) -> list[str]:
    """Packages whose __init__ runs before the module's own code."""
    parts = module.split(".")
    return [".".join(parts[:length]) for length in range(1, len(parts))]


def _imports(statements: Iterable[ast.stmt]) -> Iterator[str]:
    """Every name that could be a module, after its packages: of `from a import b` a, then a.b."""
    for node in (node for statement in statements for node in ast.walk(statement)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from (*_parents(alias.name), alias.name)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (*_parents(node.module), node.module)
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _lazy_imports(package: ast.Module | None) -> Iterator[str]:
    """What a package imports when it is asked for a name that is none of its modules."""
    if package is not None:
        yield from _imports(part for part in package.body if _is_lazy(part))


def _is_lazy(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.FunctionDef) and statement.name == LAZY


def _code(path: Path, runs: bool) -> ast.Module:
    """A module's code without docstrings, and without what is idle in it; `runs`: as a command."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    tree.body = list(_running(tree.body, runs))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [part for part in node.body if not _is_text(part)]
    return tree


def _running(statements: list[ast.stmt], runs: bool) -> Iterator[ast.stmt]:
    """The statements without the branches of `if` that only others take."""
    idle = {"TYPE_CHECKING", "typing.TYPE_CHECKING"} | (
        set() if runs else {"__name__ == '__main__'"}
    )
    for part in statements:
        if isinstance(part, ast.If) and ast.unparse(part.test) in idle:
            yield from part.orelse
        else:
            yield part


def _is_text(statement: ast.stmt) -> bool:
    value = statement.value if isinstance(statement, ast.Expr) else None
    return isinstance(value, ast.Constant) and isinstance(value.value, str)
