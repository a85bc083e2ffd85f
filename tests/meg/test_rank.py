import json
import logging

import pytest

from kg.graph.information import Information
from meg.config import RankConfig
from meg.evaluation.ranks import realistic_rank
from meg.rank import RankCommand
from tests.kg.sources.phenopackets import packet, write_packets
from tests.meg.datasets.patient_graph import (
    TESTED,
    annotated_graph,
    patient_packets,
    patient_store,
    write_annotated,
)

GRAPH = annotated_graph()


@pytest.fixture
def command(tmp_path):
    graph = write_annotated(tmp_path / "hpo", GRAPH)
    store = patient_store(tmp_path / "hpo" / "sage" / "embeddings.h5", GRAPH)
    # One is of no disease of the graph, one has too few findings.
    others = [packet("x", "OMIM:none", ("HP:05",) * 3), packet("y", "OMIM:00", ("HP:05",))]
    patients = write_packets(tmp_path / "cases", [*patient_packets(GRAPH), *others])
    return RankCommand(
        patients=patients, graph=graph, store=store.path, out=tmp_path / "rank" / "cases.json"
    )


def test_every_patient_has_a_rank_by_each_method(command, caplog):
    caplog.set_level(logging.INFO)
    command.run()
    summary = json.loads(command.out.read_text())
    assert list(summary["methods"]) == ["information", "vectors", "both"]
    groups = {name: one["n"] for name, one in summary["methods"]["both"].items()}
    assert groups == {"all": 3 * TESTED, "paper cited": TESTED, "paper not cited": 2 * TESTED}
    assert summary["patients"]["ranked"] == 3 * TESTED
    assert sum(summary["patients"]["dropped"].values()) == 2
    lines = command.out.with_suffix(".jsonl").read_text().splitlines()
    assert len(lines) == 3 * TESTED
    information = Information(GRAPH.concepts, GRAPH.triplets)
    row = json.loads(lines[0])
    number = row["id"].removeprefix("patient-")
    asked = next(one for one in patient_packets(GRAPH) if one["id"] == number)
    findings = [one["type"]["id"] for one in asked["phenotypicFeatures"] if "excluded" not in one]
    wanted = realistic_rank(information.similarity(findings), information.row(row["disease"]))
    assert row["ranks"]["information"] == wanted
    near = [row for row in map(json.loads, lines) if row["ranks"]["both"] <= 10]
    assert near
    for row in near:
        listed = [one["disease"] for one in row["likeliest"]]
        assert len(listed) == 10
        assert listed[int(row["ranks"]["both"]) - 1] == row["disease"]
    assert "both, paper not cited, 40 patients: top 1 " in caplog.text


def test_the_listed_ones_are_those_of_the_chosen_method(command):
    chosen = command.model_copy(update={"config": RankConfig(by="information")})
    chosen.run()
    for line in chosen.out.with_suffix(".jsonl").read_text().splitlines():
        row = json.loads(line)
        if row["ranks"]["information"] == 1:
            assert row["likeliest"][0]["disease"] == row["disease"]
