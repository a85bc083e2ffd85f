"""Measures of encoders side by side."""

import json

import polars as pl
import pytest

from kg.comparison import ComparisonCommand
from kg.evaluation.comparison import FREE
from kg.shared.command import main
from tests.kg.evaluation.test_comparison import metrics


@pytest.fixture
def folder(tmp_path):
    for name, mrr in {"text": 0.125, "complex": 0.25}.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(metrics(mrr)))
    return tmp_path


def test_splits_of_several_seeds_are_told(folder, caplog):
    (folder / "other.json").write_text(json.dumps(metrics(0.5, seed=1)))
    paths = {name: str(folder / f"{name}.json") for name in ("text", "other")}
    main(ComparisonCommand, [f"--encoders={json.dumps(paths)}", f"--out={folder}/kg.tsv"])
    assert "splits of several seeds" in caplog.text


def test_files(folder):
    paths = {name: str(folder / f"{name}.json") for name in ("text", "complex")}
    for out in ("one", "two"):
        main(ComparisonCommand, [f"--encoders={json.dumps(paths)}", f"--out={folder / out}/kg.tsv"])
    table = pl.read_csv(folder / "one" / "kg.tsv", separator="\t")
    assert table["MRR"].to_list() == [0.125, 0.25, *[0.125] * len(FREE)]
    svg = (folder / "one" / "kg.svg").read_text()
    assert ">complex<" in svg
    assert ">0.250<" in svg
    for kind in ("svg", "png", "tsv"):
        pair = [(folder / out / f"kg.{kind}").read_bytes() for out in ("one", "two")]
        assert pair[0] == pair[1]
