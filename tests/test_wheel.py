"""The wheel holds all that the commands need, tried apart from the checkout."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("kg", "meg")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, installed into an empty folder."""
    folder = tmp_path_factory.mktemp("wheel")
    source, site = folder / "source", folder / "site"
    left_out = shutil.ignore_patterns("__pycache__")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, source / package, ignore=left_out)
    for name in ("pyproject.toml", "README.md", "LICENSE", "NOTICE"):
        shutil.copy(ROOT / name, source / name)
    pip = [sys.executable, "-m", "pip", "--quiet"]
    built = ["wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, source]
    subprocess.run([*pip, *built], check=True)
    [wheel] = folder.glob("*.whl")
    subprocess.run([*pip, "install", "--no-deps", "--target", site, wheel], check=True)
    return site


def files(folder: Path, package: str) -> set[str]:
    """Paths of a package's files, compiled ones apart."""
    found = (p for p in (folder / package).rglob("*") if p.is_file() and p.suffix != ".pyc")
    return {str(path.relative_to(folder)) for path in found}


def run(site: Path, *command: str, flags: Sequence[str] = ()) -> str:
    """What one of its commands writes, away from the checkout."""
    return subprocess.run(
        [sys.executable, *flags, site / "bin" / command[0], *command[1:]],
        env=os.environ | {"PYTHONPATH": str(site)},
        cwd=site,
        check=True,
        capture_output=True,
        text=True,
    ).stdout


@pytest.mark.parametrize("package", PACKAGES)
def test_holds_every_file(site: Path, package: str) -> None:
    assert files(site, package) == files(ROOT, package)
    assert f"{package}/py.typed" in files(site, package)


@pytest.mark.parametrize(("package", "stage"), [("kg", "store"), ("meg", "summary")])
def test_its_commands_list_and_run(site: Path, package: str, stage: str) -> None:
    # Without site-packages: the list needs nothing but the wheel.
    assert f"\n  {stage} " in run(site, package, flags=("-S",))
    assert run(site, package, stage, "--help").startswith(f"usage: {package} {stage}")


def test_it_is_the_wheel_that_was_tried(site: Path) -> None:
    code = "import kg, meg; print(kg.__file__, meg.__file__)"
    found = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": str(site)},
        cwd=site,
        check=True,
        capture_output=True,
        text=True,
    )
    assert all(Path(path).is_relative_to(site) for path in found.stdout.split())
