import numpy as np
import pytest

from kg.graph.information import Information
from meg.datasets.differential import CUES, OPTIONS, Differential, Neighbourhood
from tests.meg.datasets.patient_graph import annotated_graph

GRAPH = annotated_graph()
INFORMATION = Information(GRAPH.concepts, GRAPH.triplets)
NAMES = dict(zip(GRAPH.concepts["cui"], GRAPH.concepts["name"], strict=True))


@pytest.fixture
def differential():
    made = Differential(INFORMATION.diseases, 8, INFORMATION, NAMES)
    made.prepare(INFORMATION.diseases)
    return made


def test_wrong_options_are_among_the_nearest(differential):
    rng = np.random.default_rng(0)
    for number, right in enumerate(INFORMATION.diseases):
        options = differential.options(right, number % OPTIONS, rng)
        assert options[number % OPTIONS] == right
        alike = INFORMATION.alike([right], INFORMATION.diseases)[0]
        alike[INFORMATION.row(right)] = -1
        eighth = np.sort(alike)[-8]
        wrong = set(options) - {right}
        assert len(wrong) == OPTIONS - 1
        assert all(alike[INFORMATION.row(one)] >= eighth for one in wrong)


def test_the_right_option_has_each_rank_of_a_cue_about_as_often(differential):
    rng = np.random.default_rng(1)
    for number in range(10 * len(INFORMATION.diseases)):
        differential.options(INFORMATION.diseases[number % 60], number % OPTIONS, rng)
    shares = differential.ranks / differential.ranks.sum(axis=1, keepdims=True)
    assert np.abs(shares[1:] - 1 / OPTIONS).max() < 0.1
    # Drawn at random from a neighbourhood the right one is mostly the most like the others.
    around = Neighbourhood(_nearest(INFORMATION.diseases[0]), INFORMATION, NAMES)
    assert (around.ranks[:, 0] == 0).mean() > 0.6 > shares[0, 0] + 0.1
    for cue, row in zip(CUES, shares, strict=True):
        assert differential.shortcuts()[cue] == {"most": row[0], "least": row[-1]}


def _nearest(right):
    alike = INFORMATION.alike([right], INFORMATION.diseases)[0]
    alike[INFORMATION.row(right)] = np.inf
    return [INFORMATION.diseases[i] for i in np.argsort(-alike, kind="stable")[:9]]


def test_ranks_count_the_options_above_the_right_one():
    around = Neighbourhood(INFORMATION.diseases[:5], INFORMATION, NAMES)
    assert around.choices[:, 0].tolist() == [0] * len(around.choices)
    for choice, ranks in zip(around.choices, around.ranks, strict=True):
        findings = around.findings[choice]
        assert ranks[1] == (findings[1:] > findings[0]).sum()
        lengths = [len(NAMES[around.diseases[i]]) for i in choice]
        assert ranks[2] == sum(length > lengths[0] for length in lengths[1:])
