import pytest

from kg.artefact import read_json
from kg.command import main
from kg.errors import InputError
from meg.prediction import Prediction, write_predictions, write_run
from meg.score import ScoreCommand, compare, score


def rows(*outcomes, kind=""):
    """Predictions for right answers 0, 1, 0, 1...; an outcome is the option chosen."""
    return [
        Prediction(id=f"{kind}{i}", kind=kind, answer=i % 2, prediction=outcome)
        for i, outcome in enumerate(outcomes)
    ]


class TestScore:
    def test_unanswered_is_wrong_and_counted(self):
        result = score(rows(0, None, None, 1))
        assert (result["accuracy"], result["n"], result["unanswered"]) == (0.5, 4, 2)

    def test_kinds_weigh_the_same_in_the_macro(self):
        result = score(rows(0, 1, 0, 1, kind="a") + rows(1, kind="b"))
        assert result["accuracy"] == 0.8
        assert result["macro_accuracy"] == 0.5
        assert result["kinds"]["b"]["n"] == 1

    def test_classes(self):
        result = score(rows(0, 0, None, 1))
        assert result["classes"] == {
            "0": {"right": 2, "chosen": 2, "both": 1},
            "1": {"right": 2, "chosen": 1, "both": 1},
        }

    def test_calibration_needs_all_scores(self):
        scored = Prediction(id="s", answer=0, prediction=0, scores=(1.0, 0.0))
        assert "calibration_error" in score([scored])
        assert "calibration_error" not in score([scored, *rows(0)])


class TestCompare:
    def test_is_paired_by_id_not_by_order(self):
        ours, theirs = rows(0, 1, 0, 0), rows(1, 1, 1, 1)
        found = compare(ours, theirs[::-1], "other")
        assert (found["gained"], found["lost"], found["difference"]) == (2, 1, 0.25)

    def test_other_questions(self):
        with pytest.raises(InputError, match=r"1 questions differ from those of other \(first 2;"):
            compare(rows(0, 1, 0), rows(0, 1), "other")

    def test_other_answers(self):
        other = [Prediction(id="0", answer=1, prediction=0)]
        with pytest.raises(InputError, match="differ"):
            compare(rows(0), other, "other")


class TestCommand:
    def test_writes_result_run_and_comparisons(self, tmp_path):
        write_predictions(tmp_path / "a.jsonl", rows(0, 1, 0, 1))
        write_predictions(tmp_path / "b.jsonl", rows(0, 0, 0, 0))
        write_run(tmp_path / "a.jsonl", {"seed": 7})
        main(
            ScoreCommand,
            [
                f"--predictions={tmp_path}/a.jsonl",
                f"--out={tmp_path}/r.json",
                f"--compare=text={tmp_path}/b.jsonl",
                "--about=dataset=quiz",
                "--about=variant=main",
            ],
        )
        result = read_json(tmp_path / "r.json")
        assert result["accuracy"] == 1
        assert result["run"] == {"seed": 7}
        assert result["about"] == {"dataset": "quiz", "variant": "main"}
        assert result["comparisons"]["text"]["difference"] == 0.5
        assert result["comparisons"]["text"]["run"] == {}
