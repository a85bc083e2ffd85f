"""Mean and standard deviation over seeds, worked out by hand."""

from pathlib import Path

import pytest

from kg.shared.artefact import file_digest
from kg.shared.documents import read_document, write_document
from kg.shared.errors import InputError
from meg.evaluation.paired import compare
from meg.evaluation.prediction import Digests, Prediction, RunRecord
from meg.evaluation.result import About, Comparison, Result, SeedsResult
from meg.evaluation.scoring import score
from meg.seeds import SeedsCommand, over_seeds


def result(seed, right, lead, **changes):
    """Of ten questions so many are answered rightly, `lead` more than by the other run."""
    rows, others = (
        [Prediction(id=str(i), answer=0, prediction=int(i >= n)) for i in range(10)]
        for n in (right, right - lead)
    )
    about = {"dataset": "quiz", "model": "tiny", "variant": "main", "seed": str(seed)}
    comparison = Comparison(**dict(compare(rows, others, "other")), run=RunRecord(), digest="")
    return Result(
        **dict(score(rows)),
        about=About(**about | changes),
        comparisons={"text_only": comparison},
        run=RunRecord(digests=Digests(questions="abc", store=None, concepts=None)),
        predictions=Path("x.jsonl"),
        digest="",
    )


RESULTS = [result(0, 5, 1), result(1, 7, 3), result(2, 6, -1)]


def test_accuracy_and_lead_over_the_compared_run():
    found = over_seeds(RESULTS)
    assert found.seeds == [0, 1, 2]
    assert found.accuracy.mean == pytest.approx(0.6)
    assert found.accuracy.standard_deviation == pytest.approx(0.1)
    lead = found.differences["text_only"]
    assert lead.mean == pytest.approx(0.1)
    assert lead.standard_deviation == pytest.approx(0.2)
    assert lead.values == pytest.approx([0.1, 0.3, -0.1])


class TestRefused:
    @pytest.mark.parametrize("missing", ["variant", "seed"])
    def test_results_that_do_not_say_what_they_are_of(self, missing):
        about = RESULTS[1].about.model_copy(update={missing: None})
        unsaid = RESULTS[1].model_copy(update={"about": about})
        with pytest.raises(InputError, match="does not say its dataset, model, variant and seed"):
            over_seeds([RESULTS[0], unsaid])

    def test_results_that_do_not_say_of_which_questions(self):
        unsaid = RESULTS[1].model_copy(update={"run": RunRecord()})
        with pytest.raises(InputError, match="not on which questions"):
            over_seeds([RESULTS[0], unsaid])

    @pytest.mark.parametrize(
        "other", [result(0, 7, 0), result(1, 7, 0, variant="text_only")], ids=["seed", "run"]
    )
    def test_same_seed_or_another_run(self, other):
        with pytest.raises(InputError, match="one run with different seeds"):
            over_seeds([RESULTS[0], other])

    def test_other_questions(self):
        digests = Digests(questions="def", store=None, concepts=None)
        other = RESULTS[1].model_copy(update={"run": RunRecord(digests=digests)})
        with pytest.raises(InputError, match="2 files of questions"):
            over_seeds([RESULTS[0], other])

    def test_one_result(self):
        with pytest.raises(InputError):
            over_seeds(RESULTS[:1])


def test_command_keeps_the_digests(tmp_path):
    paths = [tmp_path / f"{seed}.json" for seed in range(3)]
    for path, one in zip(paths, RESULTS, strict=True):
        write_document(path, one)
    SeedsCommand(results=paths, out=tmp_path / "out.json").run()
    found = read_document(tmp_path / "out.json", SeedsResult)
    assert found.results == {str(path): file_digest(path) for path in paths}
    with pytest.raises(InputError, match=r"missing\.json does not exist"):
        SeedsCommand(results=[tmp_path / "missing.json"], out=tmp_path / "out.json").run()
