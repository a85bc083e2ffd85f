import numpy as np
import pytest

from kg.shared.artefact import read_json
from kg.shared.command import main
from kg.shared.errors import InputError
from meg.combine import CombineCommand, combine, fit_weights
from meg.evaluation.prediction import Prediction, read_predictions, write_predictions


def run(scores, answers=None):
    """Predictions of these scores; the first option is right, or the named one."""
    answers = answers or [0] * len(scores)
    return [
        Prediction(
            id=f"q{i}",
            answer=answer,
            prediction=None if row is None else int(np.argmax(row)),
            scores=row and tuple(row),
        )
        for i, (row, answer) in enumerate(zip(scores, answers, strict=True))
    ]


def noisy(seed, strength, size=200):
    """Scores that favour the first option by so much."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(size, 4))
    scores[:, 0] += strength
    return run(scores.tolist())


def right(predictions):
    return np.mean([row.right for row in predictions])


@pytest.mark.parametrize("runs", [2, 3])
def test_several_that_know_something_know_more_together(runs):
    dev, test = ([noisy(10 * i + split, 1.0) for i in range(runs)] for split in (1, 2))
    weights, spreads = fit_weights(dev)
    assert sum(weights) == pytest.approx(1)
    assert all(0.5 / runs < weight < 1.6 / runs for weight in weights)
    assert right(combine(test, weights, spreads)) > max(map(right, test))


@pytest.mark.parametrize("strengths", [(2, 0), (0, 2), (0, 2, 0)])
def test_one_that_knows_nothing_weighs_little(strengths):
    weights, _ = fit_weights([noisy(i, strength) for i, strength in enumerate(strengths)])
    assert all(
        weight >= 0.6 if strength else weight <= 0.4
        for weight, strength in zip(weights, strengths, strict=True)
    )


def test_of_weights_that_do_as_well_the_middle_ones_are_taken():
    same = noisy(1, 1.0)
    assert fit_weights([same, same])[0] == (0.5, 0.5)


def test_scores_are_of_one_size_whatever_their_units():
    test = [noisy(1, 1.0), noisy(2, 1.0)]
    loud = run([[100 * one + 7 for one in row.scores] for row in test[1]])
    plain, other = (fit_weights([test[0], second]) for second in (test[1], loud))
    assert plain[0] == other[0]
    assert [row.prediction for row in combine(test, *plain)] == [
        row.prediction for row in combine([test[0], loud], *other)
    ]


@pytest.mark.parametrize("order", [1, -1])
def test_a_question_that_one_does_not_answer_is_the_others(order):
    runs = [run([[0, 3], [2, 0]]), run([[1, 0], None])][::order]
    found = combine(runs, (1e-9, 1.0)[::order], (1.0, 1.0))
    assert [row.prediction for row in found] == [0, 0]


def test_a_question_that_none_answers_stays_so():
    found = combine([run([[0, 3], None]), run([[1, 0], None])], (0.5, 0.5), (1.0, 1.0))
    assert [row.prediction for row in found] == [1, None]
    assert found[1].scores is None


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (run([[1, 0]]), "question q1 is not in all runs"),
        (run([[1, 0], [1, 0]], [0, 1]), "question q1 is not in all runs"),
        (run([[1, 0], [1, 0, 2]]), "question q1 has scores of 2 and of 3 options"),
        (run([None, None]), "run 2 has no scores"),
    ],
)
def test_other_questions_are_refused(other, message):
    with pytest.raises(InputError, match=message):
        combine([run([[1, 0], [1, 0]]), other], (0.5, 0.5), (1.0, 1.0))


def test_the_weights_are_of_the_dev_questions(tmp_path):
    paths = {}
    for seed, (name, strength) in enumerate({"a": 2, "b": 0, "c": 0, "d": 2}.items()):
        rows = noisy(seed, strength)
        paths[name] = tmp_path / f"{name}.jsonl"
        write_predictions(paths[name], rows)
    out = tmp_path / "out.jsonl"
    flags = [("runs", "a"), ("runs", "b"), ("dev", "c"), ("dev", "d")]
    named = [part for flag, name in flags for part in (f"--{flag}", str(paths[name]))]
    main(CombineCommand, [*named, "--out", str(out)])
    assert len(read_predictions(out)) == 200
    made = read_json(tmp_path / "out.meta.json")
    # The test questions would have said the opposite.
    assert made["weights"][1] > 0.5
    assert made["dev_questions"] == 200


def test_each_run_needs_its_dev_questions(tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(CombineCommand, ["--runs", "a", "--runs", "b", "--dev", "c", "--out", "d"])
    assert "1 files, expected one a run, 2" in capsys.readouterr().err
