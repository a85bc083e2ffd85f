"""Running Snakemake as a user does, in a folder of its own."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.workflow.forks import folder_of_python

ROOT = Path(__file__).parents[2]

Snakemake = Callable[..., str]


@pytest.fixture
def snakemake(tmp_path: Path) -> Snakemake:
    """Run snakemake with arguments; its output, or a failed test where the status is unexpected."""
    return runner(tmp_path)


def runner(folder: Path, forks: bool = True) -> Snakemake:
    """Runs snakemake in `folder`; its jobs are forks (tests.workflow.forks), or start afresh."""

    def run(*arguments: str, status: int = 0) -> str:
        command = [sys.executable, "-m", "snakemake", "--directory", str(folder), *arguments]
        folders = [str(Path(sys.executable).parent), os.environ["PATH"]]
        # A dry run starts no job.
        if forks and "-n" not in arguments:
            folders.insert(0, str(folder_of_python()))
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=os.environ | {"PATH": os.pathsep.join(folders), "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == status, done.stdout[-6000:]
        return done.stdout

    return run
