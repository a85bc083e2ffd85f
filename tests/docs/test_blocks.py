"""Shell, Python and YAML of the pages: commands, options, targets, names and keys that exist.

Nothing is run here but parsers and plans. A block that is no code of this project is ```text.
"""

import ast
import importlib
import re
import shlex
import tomllib
from collections.abc import Iterator
from functools import cache, reduce

import pytest
import yaml

from kg.shared.command import command_line
from tests.docs.test_links import PAGES, ROOT
from workflow.commands import command_of
from workflow.config import load_config
from workflow.configfiles import read_files
from workflow.layers import merge
from workflow.plan import Plan

BLOCK = re.compile(
    r"^ *```(?P<kind>bash|python|yaml)\n(?P<text>.*?)^ *```", re.MULTILINE | re.DOTALL
)
OWN = re.compile(r"^# mine\.yaml: (snakemake .*)$", re.MULTILINE)
MAKEFILE = (ROOT / "Makefile").read_text()
RULES = {
    rule
    for path in [ROOT / "Snakefile", *ROOT.glob("workflow/rules/*.smk")]
    for rule in re.findall(r"^\s*(?:rule|checkpoint) (\w+):", path.read_text(), re.MULTILINE)
}
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
OTHERS = {
    ".",
    "conda",
    "export",
    "hf",
    "ln",
    "mkdir",
    "pre-commit",
    "python3",
    "scontrol",
    "srun",
    "sudo",
}
"""Programs that are not ours; their arguments are not checked."""


def blocks(kind: str) -> list:
    """The blocks of a kind in all pages."""
    found = []
    for page in PAGES:
        for number, block in enumerate(BLOCK.finditer(page.read_text()), 1):
            if block["kind"] == kind:
                name = f"{page.relative_to(ROOT)}-{number}"
                found.append(pytest.param(block["text"], id=name))
    return found


def commands(text: str) -> Iterator[list[str]]:
    """The commands of a block, each as its words, without variables set before it."""
    for line in text.replace("\\\n", " ").splitlines():
        for part in re.split(r"\s&&\s", line):
            words = shlex.split(part.removeprefix("$ "), comments=True)
            while words and re.fullmatch(r"\w+=.*", words[0]):
                words = words[1:]
            if words:
                yield words


@pytest.mark.parametrize("text", blocks("bash"))
def test_shell(text: str) -> None:
    for words in commands(text):
        check(words)


def check(words: list[str]) -> None:
    """One command of a page."""
    program, *arguments = words
    if program == "python" and arguments[0] == "-m":
        check_module(arguments[1], arguments[2:])
    elif program == "python":
        assert (ROOT / arguments[0]).is_file() or arguments[0] == "-c", words
    elif program in {"kg", "meg"}:
        if arguments:
            check_module(f"{program}.{arguments[0]}", arguments[1:])
    elif program == "snakemake":
        check_workflow(arguments)
    elif program == "make":
        assert all(re.search(rf"^{name}:", MAKEFILE, re.MULTILINE) for name in arguments), words
    elif program.rpartition("/")[2] == "pip":
        named = re.findall(r"\.\[([\w,]+)\]", " ".join(arguments))
        assert {extra for group in named for extra in group.split(",")} <= EXTRAS.keys(), words
    elif program == "pytest":
        assert all((ROOT / path).exists() for path in arguments if path[0] != "-"), words
    else:
        assert program in OTHERS or (ROOT / program).is_file(), words


def check_module(module: str, arguments: list[str]) -> None:
    """Its parser takes the arguments; what is redirected is none of them."""
    if ">" in arguments:
        arguments = arguments[: arguments.index(">")]
    if (
        module.split(".", maxsplit=1)[0] not in {"kg", "meg"}
        or (command := command_of(module)) is None
    ):
        assert importlib.util.find_spec(module), module
        return
    if "--help" not in arguments:
        command_line(command).root_parser.parse_args(arguments)


def check_workflow(arguments: list[str]) -> None:
    """Configuration files exist, targets are rules or files that the configuration can make."""
    files, targets = split_arguments(arguments)
    missing = [file for file in files if file != "mine.yaml" and not (ROOT / file).is_file()]
    assert missing == []
    for target in targets:
        made = "mine.yaml" in files or target in RULES or known(target, tuple(files))
        assert made, f"{target} is no rule and no file of {files}"


def split_arguments(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Configuration files and targets of a snakemake call."""
    takes_value = {"--cores", "--directory", "--profile", "--executor", "--sdm", "--report"}
    takes_value |= {"--set-threads", "--forcerun", "--until", "--jobs", "--retries"}
    files: list[str] = []
    targets: list[str] = []
    option = ""
    for word in arguments:
        if word.startswith("-"):
            option = word
        elif option in {"--configfile", "--set-resources"}:
            files += [word] if option == "--configfile" else []
        elif option in takes_value:
            option = ""
        elif word != "TARGET":
            targets.append(word)
    return files, targets


@cache
def known(target: str, files: tuple[str, ...]) -> bool:
    """Whether a configuration has a run with this result, or it is a file beside the runs'."""
    config = load_config(reduce(merge, read_files(ROOT / file for file in files).values(), {}))
    plan = Plan(config)
    results = {run.result for run in plan.runs.values()}
    results |= {f"results/rank/{name}.json" for name in config.datasets}
    results |= {f"results/questions/{name}/summary.json" for name in config.datasets}
    return target in results


@pytest.mark.parametrize("text", blocks("python"))
def test_python_names_exist(text: str) -> None:
    """It compiles, and what it imports is there."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom):
            module = importlib.import_module(str(node.module))
            assert [name.name for name in node.names if not hasattr(module, name.name)] == []
        elif isinstance(node, ast.Import):
            assert all(importlib.util.find_spec(name.name) for name in node.names)


@pytest.mark.parametrize("text", blocks("yaml"))
def test_configuration(text: str) -> None:
    """A file of one's own fits behind the files that its first line names, and has its target."""
    values = yaml.safe_load(text)
    call = OWN.search(text)
    if call is None:
        assert isinstance(values, dict)
        return
    files, targets = split_arguments(shlex.split(call[1], comments=True)[1:])
    assert files[-1] == "mine.yaml"
    layers = read_files(ROOT / file for file in files[:-1]).values()
    config = load_config(reduce(merge, [*layers, values], {}))
    results = {run.result for run in Plan(config).runs.values()} | RULES
    assert [target for target in targets if target not in results] == []


def test_there_are_blocks_of_each_kind() -> None:
    assert min(len(blocks(kind)) for kind in ("bash", "python", "yaml")) > 3
