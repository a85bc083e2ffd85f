import pytest

from kg.shared.artefact import file_digest, read_json, write_json
from kg.shared.command import main
from kg.shared.documents import read_document
from meg.evaluation.prediction import RunRecord, write_predictions, write_run
from meg.evaluation.result import About, Compared, Result
from meg.score import ScoreCommand
from tests.meg.evaluation.test_scoring import rows
from workflow.external import stamps


@pytest.fixture
def runs(tmp_path):
    """Predictions a and b of four questions, and a's result, compared with b."""
    write_predictions(tmp_path / "a.jsonl", rows(0, 1, 0, 1))
    write_predictions(tmp_path / "b.jsonl", rows(0, 0, 0, 0))
    write_run(tmp_path / "a.jsonl", {"seed": 7, "labels": ["yes", "no"]})
    (tmp_path / "inputs.json").write_text(stamps([tmp_path / "b.jsonl"]))
    main(
        ScoreCommand,
        [
            "run",
            f"--predictions={tmp_path}/a.jsonl",
            f"--out={tmp_path}/a.json",
            f"--against=text={tmp_path}/b.jsonl",
            f"--inputs=kg/hpo={tmp_path}/inputs.json",
            "--about=dataset=quiz",
            "--about=variant=main",
        ],
    )
    return tmp_path


def fails(capsys, *arguments):
    """The one line that a refused command writes."""
    with pytest.raises(SystemExit) as ended:
        main(ScoreCommand, list(map(str, arguments)))
    assert ended.value.code == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    return error


class TestRun:
    def test_writes_result_run_and_comparisons(self, runs):
        result = read_document(runs / "a.json", Result)
        assert result.accuracy == 1
        assert result.run.model_extra == {"seed": 7}
        assert list(result.classes) == ["yes", "no"]
        noted = result.inputs["kg/hpo"][f"{runs.name}/b.jsonl"]
        assert noted.sha256 == file_digest(runs / "b.jsonl")
        assert result.about == About(dataset="quiz", variant="main")
        assert result.comparisons["text"].difference == 0.5
        assert result.comparisons["text"].run == RunRecord()

    def test_notes_that_are_none(self, runs, capsys):
        arguments = (f"--predictions={runs}/b.jsonl", f"--inputs=kg/hpo={runs}/a.json")
        error = fails(capsys, "run", *arguments, f"--out={runs}/b.json")
        assert "a.json does not say which files were read" in error
        assert not (runs / "b.json").exists()


class TestCompareCommand:
    def test_shows_a_table_and_writes_it(self, runs, capsys):
        main(ScoreCommand, ["compare", f"{runs}/a.json", f"{runs}/b.jsonl", f"--out={runs}/c.json"])
        _, own, other, few, split = capsys.readouterr().out.splitlines()
        assert own.split()[:3] == ["a", "4", "100.0"]
        assert other.split()[0] == "b"
        assert "+50.0" in other
        assert few.startswith("a and b: 2 questions are answered rightly by one alone")
        assert split == "right only in a: 2, only in b: 0"
        written = read_document(runs / "c.json", Compared)
        assert written.comparisons["b"].mcnemar_p == 0.5
        assert written.accuracy == 1

    def test_results_know_their_predictions_from_anywhere(self, runs, monkeypatch, capsys):
        result = read_json(runs / "a.json") | {"predictions": "deep/a.jsonl"}
        (runs / "deep").mkdir()
        (runs / "a.jsonl").rename(runs / "deep" / "a.jsonl")
        (runs / "results").mkdir()
        write_json(runs / "results" / "a.json", result)
        monkeypatch.chdir("/")
        main(ScoreCommand, ["compare", f"{runs}/results/a.json", f"{runs}/b.jsonl"])
        assert "+50.0" in capsys.readouterr().out

    def test_changed_predictions(self, runs, capsys):
        write_predictions(runs / "a.jsonl", rows(0, 1, 0, 0))
        error = fails(capsys, "compare", runs / "a.json", runs / "b.jsonl")
        assert "a.jsonl has changed since" in error

    def test_missing_predictions(self, runs, capsys):
        (runs / "a.jsonl").unlink()
        error = fails(capsys, "compare", runs / "a.json", runs / "b.jsonl")
        assert "a.jsonl; give their file instead" in error

    def test_what_is_no_result(self, runs, capsys):
        write_json(runs / "bare.json", {"accuracy": 1})
        error = fails(capsys, "compare", runs / "bare.json", runs / "b.jsonl")
        assert "is no meg-result-1" in error

    def test_no_such_result(self, runs, capsys):
        error = fails(capsys, "compare", runs / "a.json", runs / "x.json")
        assert "x.json does not exist; make it with meg.score run" in error

    def test_one_run_is_no_comparison(self, runs, capsys):
        assert "two or more different runs" in fails(capsys, "compare", runs / "a.json")

    def test_other_questions(self, runs, capsys):
        write_predictions(runs / "b.jsonl", rows(0, 1, 0, kind="x"))
        error = fails(capsys, "compare", runs / "a.json", runs / "b.jsonl")
        assert "4 only here (0, 1, 2, 3), 3 only in b (x0, x1, x2)" in error
