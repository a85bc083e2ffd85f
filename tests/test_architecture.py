"""Imports run one way: the folders stand in levels, the commands on top, and nothing goes round."""

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

LEVELS = (
    ("kg.shared",),
    ("kg.config", "meg.config"),
    ("kg.graph",),
    ("kg.store", "kg.sources", "kg.linking", "kg.evaluation"),
    ("kg.encoders",),
    ("meg.datasets", "meg.evaluation"),
    ("meg.prompts",),
    ("meg.model",),
    ("meg.training", "meg.inference"),
)
"""A folder imports from itself and from the levels before its own. What stands beside the folders
in kg and meg are commands: they import from all levels, and nothing imports them."""

PACKAGES = ("kg", "meg", "workflow")
"""A package imports from itself and from those before it."""

AT_THE_TOP = {"kg": 22, "meg": 25}


def modules(root: Path) -> dict[str, Path]:
    """Name -> file of every module."""
    found = {}
    for path in (path for package in PACKAGES for path in root.glob(f"{package}/**/*.py")):
        *folders, last = path.relative_to(root).with_suffix("").parts
        found[".".join(folders if last == "__init__" else [*folders, last])] = path
    return found


def imports(root: Path) -> dict[str, set[str]]:
    """Module -> the modules of the project that it imports, in functions too."""
    known = modules(root)
    return {name: set(_imported(path, known)) for name, path in known.items()}


def _imported(path: Path, known: dict[str, Path]) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if name in known else node.module for name in names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def arrows_back(root: Path) -> list[str]:
    """Imports that run against the levels, or out of a package into a later one."""
    level = {folder: number for number, row in enumerate(LEVELS) for folder in row}
    back = []
    for module, others in imports(root).items():
        own = _folder(module)
        for other in sorted(others):
            package, folder = other.partition(".")[0], _folder(other)
            if package not in PACKAGES or folder == own or module in PACKAGES:
                continue
            of = PACKAGES.index(module.partition(".")[0])
            is_later = PACKAGES.index(package) > of
            is_above = package != "workflow" and level.get(folder, len(LEVELS)) >= level.get(
                own, len(LEVELS)
            )
            if is_later or is_above:
                back.append(f"{module} imports {other}")
    return back


def _folder(module: str) -> str:
    return ".".join(module.split(".")[:2])


def circle(root: Path) -> list[str]:
    """Modules that import each other in a circle."""
    try:
        TopologicalSorter(imports(root)).prepare()
    except CycleError as error:
        return error.args[1]
    return []


def written(root: Path, **files: str) -> Path:
    """A project of these modules, "__" standing for a slash."""
    for name, text in files.items():
        path = root / f"{name.replace('__', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


class TestLevels:
    def test_no_arrow_runs_back(self) -> None:
        assert arrows_back(ROOT) == []

    @pytest.mark.parametrize(
        ("module", "other"),
        [
            ("kg.shared.lines", "kg.graph.rows"),
            ("kg.graph.rows", "kg.store.vectors"),
            ("kg.store.vectors", "kg.linking.fit"),
            ("kg.sources.hpo", "kg.hpo"),
            ("kg.train", "kg.hpo"),
            ("meg.model.network", "meg.training.loop"),
            ("kg.train", "meg.model.network"),
            ("meg.align", "workflow.plan"),
        ],
    )
    def test_one_that_does_is_named(self, tmp_path: Path, module: str, other: str) -> None:
        names = {name.replace(".", "__") for name in (module, other)}
        project = written(tmp_path, **dict.fromkeys(names, ""))
        assert arrows_back(project) == []
        written(project, **{module.replace(".", "__"): f"def f():\n    from {other} import x\n"})
        assert arrows_back(project) == [f"{module} imports {other}"]

    def test_every_folder_has_one(self) -> None:
        folders = {
            f"{package}.{path.parent.name}"
            for package in AT_THE_TOP
            for path in ROOT.glob(f"{package}/*/__init__.py")
        }
        # The report is a command of several files.
        assert folders - {"meg.report"} <= {folder for row in LEVELS for folder in row}


class TestCircles:
    def test_there_is_none(self) -> None:
        assert circle(ROOT) == []

    def test_one_is_found(self, tmp_path: Path) -> None:
        ring = {"kg__graph__a": "from kg.graph import b\n", "kg__graph__b": "import kg.graph.a\n"}
        assert set(circle(written(tmp_path, **ring))) == {"kg.graph.a", "kg.graph.b"}


@pytest.mark.parametrize(("package", "most"), AT_THE_TOP.items())
def test_a_package_reads_at_a_glance(package: str, most: int) -> None:
    things = [p for p in (ROOT / package).iterdir() if p.suffix == ".py" or p.is_dir()]
    assert len([p for p in things if not p.name.startswith("__")]) <= most
