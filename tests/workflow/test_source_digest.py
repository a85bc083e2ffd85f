"""An edit changes the digest of exactly the commands that import it."""

import json
import re
import subprocess
import sys
import typing
from pathlib import Path

import pytest

from workflow.sections import KG
from workflow.source_digest import BY_VALUE, imported_modules, source_digest

ROOT = Path(__file__).parents[2]

MAIN = 'if __name__ == "__main__":\n   '
TYPES = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n"
SIZE = 'import json\n\ndef size():\n    """Its size."""\n    return 1\n'

FILES = {
    "kg/__init__.py": '"""The package."""\n',
    "kg/graph.py": f'"""A graph."""\n{SIZE}',
    "kg/train.py": "from kg.graph import size\n",
    "kg/hpo.py": "import kg.names\n",
    "kg/names.py": f"X = 1\n{MAIN} from kg.search import find\n",
    "kg/search.py": "def find():\n    pass\n",
    "kg/types.py": "X = 1\n",
    "meg/__init__.py": "def __getattr__(name):\n    from meg.whole import MEG\n    return MEG\n",
    "meg/whole.py": "MEG = 1\n",
    "meg/ask.py": "from meg import MEG\n",
    "meg/align.py": f"{TYPES}    from kg.types import X\ndef main():\n    from kg import train\n",
    "meg/report/__init__.py": "",
    "meg/report/__main__.py": "from meg.report import page\n",
    "meg/report/page.py": "PAGE = 1\n",
}
COMMANDS = ["kg.train", "kg.hpo", "kg.names", "meg.align", "meg.report", "meg.ask"]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def edited(project: Path, name: str, text: str) -> list[str]:
    """The commands whose digest differs once the file holds `text`."""
    before = [source_digest(project, command) for command in COMMANDS]
    (project / name).write_text(text)
    after = [source_digest(project, command) for command in COMMANDS]
    return [name for name, a, b in zip(COMMANDS, before, after, strict=True) if a != b]


class TestEdit:
    @pytest.mark.parametrize(
        ("name", "concerned"),
        [
            ("kg/graph.py", ["kg.train", "meg.align"]),
            ("kg/names.py", ["kg.hpo", "kg.names"]),
            ("kg/search.py", ["kg.names"]),
            ("kg/types.py", []),
            ("meg/whole.py", ["meg.ask"]),
            ("meg/report/page.py", ["meg.report"]),
            ("meg/report/__main__.py", ["meg.report"]),
            ("kg/__init__.py", COMMANDS[:4]),
        ],
    )
    def test_concerns_its_importers(self, project: Path, name: str, concerned: list[str]) -> None:
        assert edited(project, name, "X = 2\n") == concerned

    def test_of_comments_and_docstrings_concerns_nobody(self, project: Path) -> None:
        text = '"""Other."""\nimport json  # why\n\n\ndef size():\n    """Other."""\n    return 1\n'
        assert edited(project, "kg/graph.py", text) == []


def test_unknown_command_is_an_error(project: Path) -> None:
    with pytest.raises(ValueError, match=r"no module kg\.nothing"):
        source_digest(project, "kg.nothing")


def test_modules_left_out_only_declare_settings() -> None:
    """What they compute would be missed by the digest: their functions check values at most."""
    for module in BY_VALUE:
        text = ROOT.joinpath(*module.split(".")).with_suffix(".py").read_text()
        assert "    def " not in text.replace("    def _", "")


RULES = "".join(path.read_text() for path in sorted((ROOT / "workflow/rules").glob("*.smk")))

IN_FUNCTIONS = {
    "kg.link": ("kg.linking.fit", "kg.linking.fit_accept", "kg.linking.approximate"),
}
"""Modules that a command's functions import, which its --help does without."""


def rule_commands() -> list[str]:
    """The commands of all rules; the graph's is one of the sources'."""
    named = set(re.findall(r"code\(\"([\w.]+)\"\)", RULES))
    sources = typing.get_args(KG.model_fields["source"].annotation)
    return sorted(named | {f"kg.{source}" for source in sources})


@pytest.fixture(scope="module")
def imported() -> dict[str, list[str]]:
    """What Python says that each command imports."""
    commands = [",".join((one, *IN_FUNCTIONS.get(one, ()))) for one in rule_commands()]
    done = subprocess.run(
        [sys.executable, "-m", "tests.workflow.imported", *commands],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=True,
    )
    return json.loads(done.stdout)


class TestRealTree:
    @pytest.mark.parametrize("command", rule_commands())
    def test_the_digest_is_of_what_the_command_imports(
        self, imported: dict[str, list[str]], command: str
    ) -> None:
        own = f"{command}.__main__" if (ROOT / command.replace(".", "/")).is_dir() else command
        found = set(imported_modules(ROOT, command))
        assert found == {own, *imported[command]} - BY_VALUE

    def test_each_rule_has_the_digest_of_its_own_command(self) -> None:
        bodies = re.findall(
            r"^ *(?:rule|checkpoint) \w+:\n(.*?)(?=^ *(?:rule|checkpoint) |\Z)", RULES, re.M | re.S
        )
        commands = 0
        for body in bodies:
            of = re.findall(r"code\(f?\"([\w.{}]+)\"\)", body)
            run = re.findall(r"(?:-m|launch\}) (\w+\.[\w.{}]+)", body)
            assert [one.replace("CONFIG.kg", "params") for one in of] == run
            commands += len(run)
        assert commands > 15
