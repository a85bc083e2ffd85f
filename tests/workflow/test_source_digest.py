"""An edit changes the digest of exactly the commands that import it."""

from pathlib import Path

import pytest

from workflow.source_digest import BY_VALUE, source_digest

ROOT = Path(__file__).parents[2]

SIZE = 'import json\n\ndef size():\n    """Its size."""\n    return 1\n'

FILES = {
    "kg/__init__.py": '"""The package."""\n',
    "kg/graph.py": f'"""A graph."""\n{SIZE}',
    "kg/train.py": "from kg.graph import size\n",
    "kg/hpo.py": "import kg.names\n",
    "kg/names.py": "X = 1\n",
    "meg/__init__.py": "",
    "meg/align.py": "def main():\n    from kg import train\n",
    "meg/report/__init__.py": "",
    "meg/report/__main__.py": "from meg.report import page\n",
    "meg/report/page.py": "PAGE = 1\n",
}
COMMANDS = ["kg.train", "kg.hpo", "meg.align", "meg.report"]


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
            ("kg/names.py", ["kg.hpo"]),
            ("meg/report/page.py", ["meg.report"]),
            ("kg/__init__.py", COMMANDS[:3]),
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
