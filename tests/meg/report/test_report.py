"""The page of a results folder."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from kg.shared.command import main
from kg.shared.documents import write_document
from meg.datasets.question import Question, write_questions
from meg.evaluation.prediction import Prediction, write_predictions
from meg.evaluation.result import About, SeedsResult, Spread
from meg.report.__main__ import ReportCommand
from meg.report.answers import answers
from meg.report.contents import RunFiles, read_runtimes
from tests.kg.evaluation.test_comparison import metrics

RUN = {
    "versions": {"torch": "2.13.0"},
    "hardware": {"machine": "x86_64", "gpu": None, "device": "cpu", "dtype": "torch.float32"},
}
RESULT: dict[str, Any] = {
    "about": {},
    "accuracy": 0.5,
    "wilson": [0.2, 0.8],
    "n": 8,
    "right": 4,
    "unanswered": 1,
    "shortened": 0,
    "concepts": 1.5,
    "kinds": {
        "is_a": {"accuracy": 0.25, "wilson": [0, 1], "n": 4, "right": 1},
        "gene": {"accuracy": 0.75, "wilson": [0, 1], "n": 4, "right": 3},
    },
    "macro_accuracy": 0.5,
    "macro_f1": 0.456,
    "calibration_error": 0.123,
    "position_bias": 0.25,
    "classes": {
        "yes": {"right": 8, "chosen": 4, "both": 4, "f1": 0.667},
        "no": {"right": 0, "chosen": 3, "both": 0, "f1": 0.0},
    },
    "comparisons": {},
    "run": RUN,
    "predictions": "quiz.jsonl",
    "digest": "",
}
COMPARED = {
    "accuracy": 0.375,
    "wilson": [0.1, 0.7],
    "difference": 0.125,
    "interval": [-0.1, 0.3],
    "gained": 2,
    "lost": 1,
    "mcnemar_p": 1.0,
    "run": RUN,
    "digest": "",
}
FOUND = {"top1": 0.125, "top10": 0.25}
ALIGNED = {
    "concepts": 3,
    "examples": 6,
    "name_retrieval": {"candidates": 3, "mapper_alone": FOUND, "phase_1": FOUND},
}
SUMMARY = {
    "concepts": 3,
    "triplets": 2,
    "relations": {"is_a": 2},
    "sources": {"HPO": 2},
    "semantic_types": {"disease": 3},
    "degree": {"mean": 1.333, "histogram": {"1": 2}},
    "files": {"hp.obo": {"read": 45, "dropped": {"no name": 31}, "kept": 14}},
}
METRICS = metrics(0.125, accuracy=0.875)


SPACE = {
    "types": ["disease", "gene", "disease"],
    "points": {k: [[0, 0], [1, 2], [2, 1]] for k in ("before", "after")},
    "measures": {k: {"silhouette": 0.375} for k in ("before", "after")},
    "nearest": [{"concept": "Marfan syndrome", "type": "disease", "before": ["A"], "after": ["B"]}],
}
QUESTIONS = [
    Question(id=f"q{i}", stem=f"Which {i}?", options=("yes", "no"), answer=0) for i in range(4)
]
MAIN, OTHER = (0, 0, 1, None), (0, 1, 0, 1)
"""What the two runs chose: both right, right here, right there, both wrong."""


def predictions(path: Path, chosen: tuple[int | None, ...]) -> None:
    rows = [
        Prediction(id=q.id, answer=0, prediction=p, concepts=("C1", "C9"), text="perhaps")
        for q, p in zip(QUESTIONS, chosen, strict=True)
    ]
    write_predictions(path, rows)


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Two runs, of which one has trainings; an encoder; a job's runtime."""
    compared = RESULT | {"comparisons": {"text_only": COMPARED}}
    files: dict[str, Any] = {
        "quiz_tiny.json": compared,
        "text_only.json": RESULT,
        "summary.json": SUMMARY,
        "encoder/metrics.json": METRICS,
        "align/metrics.json": ALIGNED,
        "space.json": SPACE,
        "questions.json": {
            "splits": {"train": {"questions": 1234}, "test": {"questions": 4}},
            "problems": [{"split": "test", "id": "q77", "reason": "no answer", "kept": False}],
            "duplicates": {"train-test": [["q1", "q2"]]},
        },
    }
    for name, value in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(value))
    steps = [
        {"stage": "mapper", "step": 0, "loss": 9, "top1": 0.1, "top10": 0.2},
        {"step": 1, "loss": 2, "top1": 0.3, "top10": 0.4},
        {"train_loss": 2},
    ]
    (tmp_path / "align/history.jsonl").write_text("\n".join(map(json.dumps, steps)))
    (tmp_path / "encoder/history.jsonl").write_text(json.dumps({"epoch": 1, "loss": 1, "mrr": 0.1}))
    (tmp_path / "runtimes/predict").mkdir(parents=True)
    (tmp_path / "runtimes/predict/quiz.tsv").write_text(
        "s\th:m:s\tmax_rss\tcpu_time\n90.0\t0:01:30\t512.5\t30\n"
    )
    write_questions(tmp_path / "questions.jsonl", QUESTIONS)
    predictions(tmp_path / "quiz_tiny.jsonl", MAIN)
    predictions(tmp_path / "text_only.jsonl", OTHER)
    pl.DataFrame({"cui": ["C1"], "name": ["Marfan"]}).write_parquet(tmp_path / "concepts.parquet")
    return tmp_path


def command(folder: Path, *runs: dict[str, Any]) -> list[str]:
    (folder / "runs.json").write_text(json.dumps(runs))
    arguments = {
        "kg": "toy",
        "graph": folder / "summary.json",
        "concepts": folder / "concepts.parquet",
        "datasets": json.dumps({"quiz": str(folder / "questions.json")}),
        "spaces": json.dumps({"tiny": str(folder / "space.json")}),
        "encoders": json.dumps({"edge": str(folder / "encoder")}),
        "runs": folder / "runs.json",
        "runtimes": folder / "runtimes",
        "out": folder / "report.html",
    }
    return [part for name, value in arguments.items() for part in (f"--{name}", str(value))]


def run(folder: Path, file: str, variant: str, **other: Any) -> dict[str, Any]:
    result = folder / file
    files = {
        "result": str(result),
        "predictions": str(result.with_suffix(".jsonl")),
        "questions": str(folder / "questions.jsonl"),
    }
    return {"dataset": "quiz", "model": "tiny", "variant": variant} | files | other


class TestReport:
    def test_tells_every_number(self, results: Path) -> None:
        align = str(results / "align")
        runs = [
            run(results, "quiz_tiny.json", "main", align=align, encoder="edge"),
            run(results, "text_only.json", "text_only", description="no graph"),
        ]
        main(ReportCommand, command(results, *runs))
        page = (results / "report.html").read_text()
        for text in (
            "tiny with the graph&#39;s vectors answers 50.0% of 8 quiz questions right",
            "no graph",
            "by edge",
            "only the run right",
            "1 items left out",
            "is not measured",
            "12.5",
            "-10.0",
            "0.875",
            "0.225",
            "quiz by tiny, %",
            "2.13.0",
            "disease",
            "macro F1",
            "45.6",
            "12.3",
            "66.7",
            "hp.obo",
            "dropped: no name",
            "triplets of a concept",
        ):
            assert text in page
        assert "Phase I, align" in page
        assert "name retrieval phase 1 top10" in page
        assert "Marfan syndrome" in page
        for text in ("1,234", "q77", "no answer", "train-test"):
            assert text in page
        assert "predict quiz" in page
        assert "0.900" not in page, "by-relation ranks would flood the table"

    def test_puts_seeds_and_published_numbers_beside_ours(self, results: Path) -> None:
        spread = Spread(mean=0.4321, standard_deviation=0.0123, values=[0.42, 0.44])
        over_seeds = SeedsResult(
            about=About(), seeds=[0, 1], n=8, accuracy=spread, macro_accuracy=spread, differences={}
        )
        write_document(results / "seeds.json", over_seeds)
        published = [{"accuracy": 54.2, "source": "a notebook"}]
        more = {"seeds": str(results / "seeds.json"), "published": published}
        main(ReportCommand, command(results, run(results, "quiz_tiny.json", "main", **more)))
        page = (results / "report.html").read_text()
        for text in (
            "published, a notebook",
            "54.2",
            "standard deviation over seeds",
            "43.2 ± 1.2",
        ):
            assert text in page

    def test_names_what_a_run_lacks(
        self, results: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(SystemExit):
            main(ReportCommand, command(results, {"dataset": "quiz"}))
        assert "runs.json: expected a list of runs" in capsys.readouterr().err

    def test_shows_answers_of_each_case(self, results: Path) -> None:
        ours = RunFiles(**run(results, "quiz_tiny.json", "main"))
        theirs = RunFiles(**run(results, "text_only.json", "text_only"))
        rows = answers(ours, theirs, results / "concepts.parquet")
        assert [(row["case"], row["question"]) for row in rows] == [
            ("right only with vectors", "Which 1?"),
            ("right only without", "Which 2?"),
            ("both right", "Which 0?"),
            ("both wrong", "Which 3?"),
        ]
        assert rows[0]["concepts injected"] == "Marfan, C9"
        assert (rows[-1]["main"], rows[-1]["text_only"]) == ("(unanswered) perhaps", "no")

    def test_of_no_run_shows_graph_and_encoders(self, results: Path) -> None:
        main(ReportCommand, command(results))
        page = (results / "report.html").read_text()
        assert "Accuracy" not in page
        assert "Graph encoders" in page

    def test_missing_result_is_an_error(
        self, results: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(SystemExit):
            main(ReportCommand, command(results, run(results, "none.json", "main")))
        assert "none.json does not exist; make it with meg.score" in capsys.readouterr().err
        assert not (results / "report.html").exists()


class TestRuntimes:
    def test_are_in_minutes(self, results: Path) -> None:
        row = {"job": "predict quiz", "minutes": 1.5, "CPU minutes": 0.5, "memory, GB": 0.5}
        assert read_runtimes(results / "runtimes") == [row]

    def test_of_a_moment_have_no_memory(self, tmp_path: Path) -> None:
        (tmp_path / "x.tsv").write_text("s\tmax_rss\tcpu_time\n0.01\tNA\tNA\n")
        assert read_runtimes(tmp_path)[0]["memory, GB"] is None
