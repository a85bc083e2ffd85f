import numpy as np
import pytest

from kg.shared.artefact import read_json
from kg.shared.command import main
from kg.shared.errors import InputError
from meg.combine import CombineCommand, combine, fit_weight
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


def test_two_that_know_something_know_more_together():
    dev, test = ((noisy(i, 1.0), noisy(i + 9, 1.0)) for i in (1, 2))
    weight, spreads = fit_weight(dev)
    assert 0.2 < weight < 0.8
    assert right(combine(test, weight, spreads)) > max(map(right, test))


@pytest.mark.parametrize(("first", "second", "low", "high"), [(2, 0, 0, 0.4), (0, 2, 0.6, 1)])
def test_one_that_knows_nothing_weighs_little(first, second, low, high):
    weight, _ = fit_weight((noisy(1, first), noisy(2, second)))
    assert low <= weight <= high


def test_scores_are_of_one_size_whatever_their_units():
    test = noisy(1, 1.0), noisy(2, 1.0)
    loud = run([[100 * one + 7 for one in row.scores] for row in test[1]])
    plain, other = (fit_weight((test[0], second)) for second in (test[1], loud))
    assert plain[0] == other[0]
    assert [row.prediction for row in combine(test, *plain)] == [
        row.prediction for row in combine((test[0], loud), *other)
    ]


def test_a_question_that_one_does_not_answer_is_the_others():
    one, other = run([[0, 3], [2, 0]]), run([[1, 0], None])
    found = combine((one, other), 1.0 - 1e-9, (1.0, 1.0))
    assert [row.prediction for row in found] == [0, 0]


@pytest.mark.parametrize(
    "other",
    [
        run([[1, 0]]),
        run([[1, 0], [1, 0]], [0, 1]),
        run([[1, 0], [1, 0, 2]]),
    ],
)
def test_other_questions_are_refused(other):
    with pytest.raises(InputError, match="question q1"):
        combine((run([[1, 0], [1, 0]]), other), 0.5, (1.0, 1.0))


def test_the_weight_is_of_the_dev_questions(tmp_path):
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
    assert made["weight"] > 0.5
    assert made["dev_questions"] == 200
