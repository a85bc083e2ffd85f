import numpy as np
import polars as pl
import pytest

from kg.graph.annotations import ANNOTATIONS
from meg.datasets.simulated import Simulator

OWN = [(f"HP:{i}", 1.0) for i in range(6)]
ROWS = [("D1", finding, often, "P") for finding, often in OWN]
ROWS += [("D1", "HP:never", 0.0, "P"), ("D2", "HP:0", None, "P")]
ROWS += [(f"D{i}", f"HP:{i}x", 0.5, "P") for i in range(3, 12)]


@pytest.fixture
def simulator():
    annotations = pl.DataFrame(ROWS, schema=ANNOTATIONS, orient="row")
    return Simulator(annotations, {f"HP:{i}": ["HP:above"] for i in range(6)})


@pytest.fixture
def cases(simulator):
    rng = np.random.default_rng(0)
    return [simulator.case("D1", rng) for _ in range(300)]


def test_findings_are_the_diseases_their_parents_or_foreign(cases):
    own = {finding for finding, _ in OWN} | {"HP:above"}
    every = {row[1] for row in ROWS} | {"HP:above"}
    for case in cases:
        assert set(case.findings) <= every
        assert 2 <= len(case.findings) == len(set(case.findings))
        assert own & set(case.findings)
    assert any("HP:above" in case.findings for case in cases)
    assert any(set(case.findings) - own for case in cases)


def test_absent_findings_are_none_of_the_disease(cases):
    for case in cases:
        assert not set(case.absent) & ({finding for finding, _ in OWN} | set(case.findings))
    assert {len(case.absent) for case in cases} >= {0, 1, 2}


def test_an_often_found_one_is_drawn_more_often():
    rows = [("D", "HP:often", 1.0, "P"), ("D", "HP:also", 1.0, "P"), ("D", "HP:seldom", 0.01, "P")]
    rows += [(f"E{i}", f"HP:{i}", 1.0, "P") for i in range(9)]
    simulator = Simulator(pl.DataFrame(rows, schema=ANNOTATIONS, orient="row"), {})
    rng = np.random.default_rng(1)
    cases = [simulator.case("D", rng).findings for _ in range(200)]
    often, seldom = (sum(one in case for case in cases) for one in ("HP:often", "HP:seldom"))
    assert often > seldom


def test_one_finding_makes_no_patient(simulator):
    assert simulator.knows("D1")
    assert not simulator.knows("D2")
    assert not simulator.knows("gone")


def test_the_generator_decides(simulator):
    one, same, other = (simulator.case("D1", np.random.default_rng(i)) for i in (3, 3, 4))
    assert one == same != other
