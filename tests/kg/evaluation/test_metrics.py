"""metrics.json is read as it was written, or refused with what is wrong."""

import json

import pytest

from kg.evaluation.metrics import EncoderMetrics, read_metrics, write_metrics
from kg.shared.errors import InputError
from tests.kg.evaluation.test_comparison import metrics


def test_what_is_written_is_read(tmp_path):
    one = EncoderMetrics.model_validate(metrics(0.25))
    write_metrics(tmp_path / "metrics.json", one)
    assert read_metrics(tmp_path / "metrics.json") == one
    values = json.loads((tmp_path / "metrics.json").read_text())
    assert values == {"format": "meg-encoder-metrics-1"} | metrics(0.25)


def test_another_file_is_refused(tmp_path):
    path = tmp_path / "metrics.json"
    path.write_text(json.dumps(metrics(0.25) | {"format": "meg-encoder-metrics-0"}))
    with pytest.raises(InputError, match=r"1 wrong values, first format: .*with kg\.train"):
        read_metrics(path)
