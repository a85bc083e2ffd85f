import pytest

from kg.shared.artefact import read_json
from kg.shared.command import main
from meg.datasets.question import read_questions
from meg.questions import QuestionsCommand

ROWS = "Which?,a,b,c,d,A\nWhat?,a,b,c,d,X\nWhich?,d,c,b,a,D\nWho?,a,a,c,d,B\n"


@pytest.fixture
def mmlu(tmp_path):
    (tmp_path / "test").mkdir()
    (tmp_path / "test" / "anatomy_test.csv").write_text(ROWS)
    return tmp_path


def run(*arguments):
    main(QuestionsCommand, list(arguments))


class TestCommand:
    def test_writes_splits_and_says_what_is_wrong(self, mmlu, tmp_path):
        config = f'{{"source": "mmlu", "path": "{mmlu}", "subjects": ["anatomy"]}}'
        run("--out", str(tmp_path / "out"), "--config", config)
        paths = [tmp_path / "out" / f"{split}.jsonl" for split in ("train", "dev", "test")]
        assert [len(list(read_questions(path))) for path in paths] == [0, 0, 3]
        summary = read_json(tmp_path / "out" / "summary.json")
        assert summary["splits"]["test"]["kinds"] == {"anatomy": 3}
        assert [(one["id"], one["kept"]) for one in summary["problems"]] == [
            ("anatomy-test-2", False),
            ("anatomy-test-4", True),
        ]
        assert summary["duplicates"] == {"test-test": [["anatomy-test-1", "anatomy-test-3"]]}
        assert summary["config"]["source"] == "mmlu"

    @pytest.mark.parametrize(
        ("config", "message"),
        [
            ('{"source": "nonsense"}', "'hpoquiz', 'graphquiz', 'patients'"),
            ('{"source": "pubmedqa", "train": 5}', "config.pubmedqa.train"),
            ('{"source": "hpoquiz"}', "give --concepts and --triplets"),
            ('{"source": "graphquiz"}', "graphquiz is made from a graph: give --concepts"),
            ('{"source": "patients"}', "give its --graph"),
        ],
    )
    def test_wrong_config_ends_with_one_line(self, config, message, tmp_path, capsys):
        with pytest.raises(SystemExit) as ended:
            run("--out", str(tmp_path), "--config", config)
        assert ended.value.code == 2
        error = capsys.readouterr().err
        assert message in error
        assert error.count("\n") == 1


class TestNoTestQuestion:
    def test_is_an_error_that_names_the_first_bad_item(self, mmlu, tmp_path, capsys):
        (mmlu / "test" / "anatomy_test.csv").write_text("Which?,a,b,c,d,X\n")
        config = f'{{"source": "mmlu", "path": "{mmlu}", "subjects": ["anatomy"]}}'
        with pytest.raises(SystemExit):
            run("--out", str(tmp_path / "out"), "--config", config)
        expected = f"{mmlu} has no test question that can be asked (anatomy-test-1:"
        assert expected in capsys.readouterr().err
        assert not (tmp_path / "out").exists()
