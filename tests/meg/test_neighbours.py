"""Parents and triplets of a graph of six concepts, and the questions that carry them."""

import polars as pl
import pytest

from kg.graph.tables import CONCEPTS, TRIPLETS, write_concepts, write_parents, write_triplets
from kg.linking.mention import Candidate, Mention
from kg.shared.artefact import read_json
from kg.shared.errors import InputError
from meg.config import PromptConfig
from meg.datasets.question import Mentions, Question, read_questions, write_questions
from meg.neighbours import NeighboursCommand, neighbours_of
from meg.prompts.wording import question_prompt

NAMES = {"C1": "Flu", "C2": "Fever", "C3": "Infection", "C4": "Cough", "C5": "Gout", "C6": "Pain"}
EDGES = [
    ("C1", "is_a", "C3"),
    ("C1", "has_finding", "C2"),
    ("C1", "has_finding", "C4"),
    ("C5", "has_finding", "C2"),
    ("C5", "has_finding", "C6"),
    ("C2", "RO", "C6"),
]


@pytest.fixture
def concepts():
    rows = [(cui, name, [], [], None) for cui, name in NAMES.items()]
    return pl.DataFrame(rows, CONCEPTS, orient="row")


@pytest.fixture
def triplets():
    return pl.DataFrame([(*edge, "test") for edge in EDGES], TRIPLETS, orient="row")


class TestNeighbours:
    def test_parents_are_the_tails_of_is_a(self, concepts, triplets):
        found = neighbours_of(["C1", "C2"], concepts, triplets)
        assert (found["C1"].parents, found["C2"].parents) == (("C3",), ())

    def test_a_sources_own_parents_win(self, concepts, triplets):
        own = pl.DataFrame({"cui": ["C1"], "values": [["C6", "C2"]]})
        assert neighbours_of(["C1"], concepts, triplets, own)["C1"].parents == ("C6", "C2")

    def test_triplets_are_sentences_the_rarest_neighbour_first(self, concepts, triplets):
        found = neighbours_of(["C1"], concepts, triplets)["C1"].triplets
        assert found == ("Flu is a Infection.", "Flu has finding Cough.", "Flu has finding Fever.")

    def test_a_concept_may_be_the_tail(self, concepts, triplets):
        found = neighbours_of(["C6"], concepts, triplets)["C6"].triplets
        assert found == ("Gout has finding Pain.", "Fever is related to Pain.")

    def test_a_concept_without_triplets_has_none(self, concepts, triplets):
        assert neighbours_of(["C9"], concepts, triplets) == {}


@pytest.fixture
def arguments(tmp_path, concepts, triplets):
    """Of the command, for one question about C1."""
    write_concepts(tmp_path / "concepts.parquet", concepts)
    write_triplets(tmp_path / "triplets.parquet", triplets, concepts)
    mention = Mention(start=0, end=3, candidates=(Candidate(cui="C1", score=1),))
    question = Question(
        id="q",
        stem="Flu?",
        options=("a", "b"),
        answer=0,
        mentions=Mentions(stem=(mention,), options=((), ())),
    )
    write_questions(tmp_path / "test.jsonl", [question])
    return {
        "concepts": tmp_path / "concepts.parquet",
        "triplets": tmp_path / "triplets.parquet",
        "out": tmp_path / "out",
        "questions": [tmp_path / "test.jsonl"],
    }


def test_command_adds_them_to_grounded_questions(tmp_path, arguments):
    NeighboursCommand(**arguments).run()
    (read,) = read_questions(tmp_path / "out/test.jsonl")
    prompt = question_prompt(read, PromptConfig(parents=1), lambda cui: cui in NAMES)
    assert prompt.cuis == ("C1", "C3")
    assert read_json(tmp_path / "out/test.jsonl")["neighbours"]["C1"]["parents"] == ["C3"]


def test_command_takes_a_releases_own_parents(tmp_path, arguments):
    parents = tmp_path / "parents.parquet"
    with pytest.raises(InputError, match=r"parents\.parquet does not exist"):
        NeighboursCommand(**arguments, parents=parents).run()
    write_parents(parents, pl.DataFrame({"cui": ["C1"], "values": [["C6"]]}))
    NeighboursCommand(**arguments, parents=parents).run()
    assert read_json(tmp_path / "out/test.jsonl")["neighbours"]["C1"]["parents"] == ["C6"]
