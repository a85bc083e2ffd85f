"""Command lines: lists and tables verbatim, no input but the arguments, errors in a line."""

import errno
import json
import os
from pathlib import Path

import pytest
from pydantic import Field
from pydantic_settings import CliApp, CliPositionalArg, CliSubCommand

from kg.shared.command import Command, Section, main
from kg.shared.errors import Preempted

SEEN: list["Probe"] = []

ITEMS = [
    "Ehlers-Danlos syndrome, classic type",
    "[Ca2+] raised",
    "{x}",
    '["a", "b"]',
    'He said "no"',
    '"quoted"',
    "ends in \\",
    "'single'",
    "null",
    "None",
    "3",
    " spaces ",
    "",
]


class Part(Section):
    names: tuple[str, ...] = ("ENG",)
    most: int | dict[str, int] = 20


class Other(Section):
    width: int = 1


class Probe(Command):
    seed: int = 0
    option: list[str] = Field([])
    numbers: list[int] | None = None
    table: dict[str, Path] = Field({})
    parts: list[Part] = Field([])
    section: Part = Part(most=7)
    config: Part | Other = Part()
    files: CliPositionalArg[list[Path]] = Field([])

    def run(self) -> None:
        SEEN.append(self)


class Group(Command):
    run_: CliSubCommand[Probe] = Field(alias="run")

    def run(self) -> None:
        CliApp.run_subcommand(self)


def parsed(*arguments: str, command: type[Command] = Probe) -> Probe:
    SEEN.clear()
    main(command, list(arguments))
    return SEEN[0]


def refused(capsys, *arguments: str) -> str:
    with pytest.raises(SystemExit) as ended:
        main(Probe, list(arguments))
    assert ended.value.code == 2
    return capsys.readouterr().err


class TestLists:
    def test_items_are_taken_as_they_stand(self):
        assert parsed(*(f"--option={item}" for item in ITEMS)).option == ITEMS

    @pytest.mark.parametrize("item", ITEMS)
    def test_one_item_is_one_item(self, item):
        assert parsed(f"--option={item}").option == [item]

    def test_paths_given_by_position(self):
        assert parsed("a,b.json", "[c].json").files == [Path("a,b.json"), Path("[c].json")]

    def test_of_a_section_and_of_a_subcommand(self):
        found = parsed("run", "--config.names=a, b", "--config.names=c", command=Group)
        assert found.config == Part(names=("a, b", "c"))

    def test_numbers(self):
        assert parsed("--numbers=3", "--numbers", "4").numbers == [3, 4]

    def test_sections_are_json(self):
        found = parsed("--parts", json.dumps([{"names": ["a, b"]}, {}]))
        assert found.parts == [Part(names=("a, b",)), Part()]

    def test_emptied_by_the_section(self):
        assert parsed("--config", '{"names": []}').config == Part(names=())


class TestTables:
    def test_values_are_taken_as_they_stand(self):
        found = parsed("--table=a=x,y=[1]", '--table=b="q"')
        assert found.table == {"a": Path("x,y=[1]"), "b": Path('"q"')}

    def test_json(self):
        assert parsed("--table", '{"a": "x=y,z"}').table == {"a": Path("x=y,z")}

    def test_a_value_where_a_table_may_stand(self):
        assert parsed("--config.most", "5").config == Part(most=5)
        assert parsed("--config.most", "other=5").config == Part(most={"other": 5})


class TestMain:
    def test_the_environment_is_no_input(self, monkeypatch):
        monkeypatch.setenv("seed", "3")
        monkeypatch.setenv("config", '{"most": 1}')
        assert parsed().seed == 0
        assert parsed().config == Part()

    def test_a_default_section_keeps_what_is_not_given(self):
        assert parsed("--section.names=a").section == Part(names=("a",), most=7)

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (("--seed", "x"), "seed: Input should be a valid integer"),
            (("--config", "{x"), "config"),
            (("--parts", "x"), "--parts 'x': expected a JSON array"),
            (("--table", "x"), "--table 'x': expected name=value"),
            (("--numbers", "x"), "numbers.0: Input should be a valid integer"),
        ],
    )
    def test_wrong_arguments_end_in_a_line(self, capsys, arguments, said):
        error = refused(capsys, *arguments)
        assert error.startswith("error: ")
        assert said in error
        assert error.count("\n") == 1


class Reading(Command):
    path: Path

    def run(self) -> None:
        self.path.read_text()


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS])
def test_a_file_that_may_not_be_read_is_said_as_such(tmp_path, monkeypatch, capsys, number):
    file = tmp_path / "weights"
    file.write_text("x")

    def forbidden(self):
        # As root every file may be read.
        raise OSError(number, os.strerror(number), str(self))

    monkeypatch.setattr(Path, "read_text", forbidden)
    with pytest.raises(SystemExit) as ended:
        main(Reading, ["--path", str(file)])
    assert ended.value.code == 2
    assert f"error: permission denied: {file}; ask its owner" in capsys.readouterr().err


def test_a_job_that_was_told_to_stop_ends_with_the_status_of_sigterm(caplog):
    class Stopped(Command):
        def run(self) -> None:
            raise Preempted("stopped at step 3, state saved in here")

    with pytest.raises(SystemExit) as ended:
        main(Stopped, [])
    assert ended.value.code == 143
    assert "stopped at step 3, state saved in here" in caplog.text
