import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.shared.errors import InputError
from meg.evaluation.prediction import (
    Prediction,
    RunRecord,
    read_predictions,
    read_run,
    write_predictions,
    write_run,
)

SCORES = st.tuples(*[st.floats(allow_nan=False, allow_infinity=False)] * 4)
ROWS = st.builds(
    Prediction,
    id=st.text(min_size=1),
    kind=st.text(),
    answer=st.integers(0, 3),
    prediction=st.none() | st.integers(0, 3),
    scores=st.none() | SCORES,
    concepts=st.lists(st.text()).map(tuple),
    shortened=st.booleans(),
    text=st.text(),
)


class TestReadWhatWasWritten:
    @given(rows=st.lists(ROWS, min_size=1, max_size=5, unique_by=lambda row: row.id))
    @settings(max_examples=30, deadline=None)
    def test_any_rows(self, rows, tmp_path_factory):
        path = tmp_path_factory.mktemp("predictions") / "x.jsonl"
        write_predictions(path, rows)
        assert read_predictions(path) == rows

    def test_run_lies_beside(self, tmp_path):
        path = tmp_path / "x.jsonl"
        assert read_run(path) == RunRecord()
        write_run(path, {"seed": 1}, labels=("yes", "no"))
        assert read_run(path) == RunRecord.model_validate({"seed": 1, "labels": ("yes", "no")})
        assert (tmp_path / "x.meta.json").is_file()


class TestBadFile:
    @pytest.mark.parametrize(
        ("lines", "message"),
        [
            ("", "no prediction"),
            ('{"id": "a", "answer": 0, "prediction": 1}\n{"id": "a"', "line 2"),
            ('{"id": "a", "answer": 0}', "line 1: prediction"),
            ('{"id": "a", "answer": 0, "prediction": 0}\n' * 2, "the id a stands twice"),
            ('{"id": "a", "answer": 0, "prediction": 2, "scores": [0, 1]}', "option 2 of 2"),
        ],
    )
    def test_is_named(self, lines, message, tmp_path):
        path = tmp_path / "x.jsonl"
        path.write_text(lines)
        with pytest.raises(InputError, match=message):
            read_predictions(path)

    def test_missing(self, tmp_path):
        with pytest.raises(InputError, match="does not exist"):
            read_predictions(tmp_path / "x.jsonl")

    @pytest.mark.parametrize("score", [math.nan, -math.inf])
    def test_scores_are_finite(self, score):
        with pytest.raises(ValueError, match="finite"):
            Prediction(id="a", answer=0, prediction=0, scores=(score, 0.0))
