"""Mean and standard deviation over seeds, worked out by hand."""

import copy

import pytest

from kg.shared.artefact import file_digest, read_json, write_json
from kg.shared.errors import InputError
from meg.seeds import SeedsCommand, over_seeds


def result(seed, accuracy, difference, **changes):
    about = {"dataset": "quiz", "model": "tiny", "variant": "main", "seed": str(seed)}
    return {
        "about": about | changes,
        "accuracy": accuracy,
        "macro_accuracy": accuracy,
        "n": 10,
        "comparisons": {"text_only": {"difference": difference}},
        "run": {"digests": {"questions": "abc"}},
    }


RESULTS = [result(0, 0.5, 0.1), result(1, 0.7, 0.3), result(2, 0.6, -0.1)]


def test_accuracy_and_lead_over_the_compared_run():
    found = over_seeds(RESULTS)
    assert found["seeds"] == [0, 1, 2]
    assert found["accuracy"]["mean"] == pytest.approx(0.6)
    assert found["accuracy"]["standard_deviation"] == pytest.approx(0.1)
    lead = found["differences"]["text_only"]
    assert lead["mean"] == pytest.approx(0.1)
    assert lead["standard_deviation"] == pytest.approx(0.2)
    assert lead["values"] == [0.1, 0.3, -0.1]


class TestRefused:
    @pytest.mark.parametrize("missing", ["variant", "seed"])
    def test_results_that_do_not_say_what_they_are_of(self, missing):
        unsaid = copy.deepcopy(RESULTS)
        del unsaid[1]["about"][missing]
        with pytest.raises(InputError, match="does not say its dataset, model, variant and seed"):
            over_seeds(unsaid)

    @pytest.mark.parametrize(
        "other", [result(0, 0.7, 0), result(1, 0.7, 0, variant="text_only")], ids=["seed", "run"]
    )
    def test_same_seed_or_another_run(self, other):
        with pytest.raises(InputError, match="one run with different seeds"):
            over_seeds([RESULTS[0], other])

    def test_other_questions(self):
        other = copy.deepcopy(RESULTS[1])
        other["run"]["digests"]["questions"] = "def"
        with pytest.raises(InputError, match="2 files of questions"):
            over_seeds([RESULTS[0], other])

    def test_one_result(self):
        with pytest.raises(InputError):
            over_seeds(RESULTS[:1])


def test_command_keeps_the_digests(tmp_path):
    paths = [tmp_path / f"{seed}.json" for seed in range(3)]
    for path, one in zip(paths, RESULTS, strict=True):
        write_json(path, one)
    SeedsCommand(results=paths, out=tmp_path / "out.json").run()
    found = read_json(tmp_path / "out.json")
    assert found["results"] == {str(path): file_digest(path) for path in paths}
    with pytest.raises(InputError, match=r"missing\.json does not exist"):
        SeedsCommand(results=[tmp_path / "missing.json"], out=tmp_path / "out.json").run()
