"""The commands: a linker is built from tables and grounds JSON lines."""

import json

import numpy as np
import polars as pl
import pytest

from kg.graph.tables import CONCEPTS, write_concepts
from kg.link import Link
from kg.shared.command import main
from kg.store import write_store

CONCEPT_ROWS = [
    ("C1", "Chronic kidney disease", ["CKD"], [], None),
    ("C2", "Seizure", [], [], None),
]


@pytest.fixture
def built(tmp_path):
    concepts = pl.DataFrame(CONCEPT_ROWS, schema=CONCEPTS, orient="row")
    write_concepts(tmp_path / "concepts.parquet", concepts)
    build(tmp_path)
    return tmp_path


def build(folder, *flags):
    concepts, out = folder / "concepts.parquet", folder / "linker"
    main(Link, ["build", "--concepts", str(concepts), "--out", str(out), *flags])


def run(folder, *lines, name="test.jsonl"):
    questions = folder / name
    questions.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    out = folder / "out"
    main(Link, ["run", "--linker", str(folder / "linker"), "--out", str(out), str(questions)])
    return [json.loads(line) for line in (out / name).read_text(encoding="utf-8").split("\n")[:-1]]


class TestRun:
    def test_record_keeps_its_fields_and_gains_mentions(self, built):
        record = {"id": "é\u2028", "stem": "In CKD?", "options": ["no", "a seizure"], "extra": [1]}
        [grounded] = run(built, json.dumps(record))
        mentions = grounded.pop("mentions")
        assert grounded == record
        assert [(m["start"], m["end"]) for m in mentions["stem"]] == [(3, 6)]
        assert mentions["stem"][0]["candidates"][0]["cui"] == "C1"
        assert mentions["context"] == []
        assert [len(option) for option in mentions["options"]] == [0, 1]

    def test_texts_of_a_record_share_its_abbreviations(self, built):
        record = {"stem": "Is CK bad?", "context": "In chronic kidney disease (CK).", "options": []}
        [grounded] = run(built, json.dumps(record))
        assert [(m["start"], m["end"]) for m in grounded["mentions"]["stem"]] == [(3, 5)]

    def test_mentions_that_came_with_a_record_stay(self, built):
        there = {"start": 0, "end": 2, "candidates": [{"cui": "X9", "score": 1}]}
        record = {"stem": "CKD?", "mentions": {"stem": [there], "context": [], "options": []}}
        lines = json.dumps(record), json.dumps({"stem": "CKD?", "mentions": None})
        kept, linked = run(built, *lines)
        assert kept == record
        assert linked["mentions"]["stem"][0]["candidates"][0]["cui"] == "C1"
        summary = json.loads((built / "out" / "test.jsonl.summary.json").read_text())
        assert (summary["records"], summary["records_kept"], summary["texts"]) == (2, 1, 1)

    def test_summary_counts(self, built):
        run(
            built,
            '{"stem": "CKD", "options": ["x", "CKD"]}',
            '{"context": "chronic kidney disease"}',
        )
        assert json.loads((built / "out" / "test.jsonl.summary.json").read_text()) == {
            "records": 2,
            "records_kept": 0,
            "texts": 4,
            "texts_without_mention": 1,
            "mentions": 3,
            "distinct_cuis": 1,
        }

    @pytest.mark.parametrize("line", ["{", "[]", '{"stem": 1}', '{"options": "ab"}'])
    def test_bad_line_is_named(self, built, line, capsys):
        with pytest.raises(SystemExit, match="2"):
            run(built, '{"stem": "CKD"}', line)
        assert "test.jsonl line 2" in capsys.readouterr().err
        assert not (built / "out" / "test.jsonl").exists()

    def test_a_line_that_is_not_utf8_is_named(self, built, capsys):
        (built / "test.jsonl").write_bytes(b'{"stem": "CKD"}\n{"stem": "\xff"}\n')
        files = ["--out", str(built / "out"), str(built / "test.jsonl")]
        with pytest.raises(SystemExit, match="2"):
            main(Link, ["run", "--linker", str(built / "linker"), *files])
        assert "test.jsonl line 2" in capsys.readouterr().err

    def test_half_a_surrogate_pair_passes(self, built):
        [grounded] = run(built, '{"stem": "\\ud800 CKD"}')
        assert grounded["stem"] == "\ud800 CKD"
        assert grounded["mentions"]["stem"][0]["start"] == 2


class TestBuild:
    def test_only_the_concepts_of_the_store(self, built):
        vector = np.ones((1, 2), dtype=np.float32)
        write_store(built / "store.h5", pl.Series(["C2"]), vector, {}, {})
        build(built, "--store", str(built / "store.h5"))
        [grounded] = run(built, '{"stem": "CKD and seizure"}')
        [mention] = grounded["mentions"]["stem"]
        assert mention["candidates"][0]["cui"] == "C2"

    def test_config_is_kept_with_the_linker(self, built):
        build(built, "--config", '{"min_link": 0.6}')
        [grounded] = run(built, '{"stem": "CKD and seizure"}')
        assert grounded["mentions"]["stem"] == []


class TestFitAndEvaluate:
    def test_linker_learned_from_a_corpus_is_scored_on_the_rest(self, built, capsys):
        mention = '{"start": 2, "end": 5, "cui": "C1"}'
        meant = '{"pmid": "%d", "text": "a CKD seizure", "mentions": [' + mention + "]}\n"
        not_meant = '{"pmid": "%d", "text": "no CKD seizure"}\n'
        lines = ((meant, not_meant)[number % 2] % number for number in range(100))
        (built / "corpus.jsonl").write_text("".join(lines))
        corpus, priors = str(built / "corpus.jsonl"), str(built / "priors.parquet")
        concepts, scores = str(built / "concepts.parquet"), str(built / "scores.json")
        part = ["--corpus", corpus, "--held-out", "0.3"]
        accept = str(built / "accept.npz")
        main(Link, ["fit", "--concepts", concepts, "--out", priors, "--accept", accept, *part])
        build(built, "--priors", priors, "--accept", accept)
        assert (built / "linker" / "accept.npz").is_file()
        main(Link, ["evaluate", "--linker", str(built / "linker"), "--out", scores, *part])
        assert "| mention | 100.0 | 100.0 | 100.0 |" in capsys.readouterr().out
        assert 10 < json.loads((built / "scores.json").read_text())["documents"] < 50
