import pytest

from meg.datasets.question import Question
from meg.datasets.vignette import Case, age_in_words, question_fields

NAMES = {"HP:1": "Fit", "HP:2": "Fever", "HP:3": "Rash", "D:1": "Gout", "D:2": "Flu"}


@pytest.mark.parametrize(
    ("duration", "words"),
    [
        ("P34Y2M", "34 years"),
        ("P1Y", "1 year"),
        ("P0Y6M3D", "6 months"),
        ("P3W", "3 weeks"),
        ("P1DT2H", "1 day"),
        ("PT5H", ""),
        ("", ""),
        ("34 years", ""),
    ],
)
def test_age_in_words(duration, words):
    assert age_in_words(duration) == words


@pytest.mark.parametrize(
    ("case", "stem"),
    [
        (
            Case(("HP:1", "HP:2"), ("HP:3",), "FEMALE", "P4Y"),
            "A patient (female, 4 years) has these findings: Fit; Fever. Not found: Rash. "
            "Which disease is it?",
        ),
        (
            Case(("HP:1",), sex="UNKNOWN_SEX"),
            "A patient has these findings: Fit. Which disease is it?",
        ),
    ],
)
def test_a_patient_in_words(case, stem):
    fields = question_fields(case, ["D:1", "D:2"], NAMES)
    assert fields["stem"] == stem
    question = Question(id="q", answer=0, **fields)
    assert question.options == ("Gout", "Flu")
    found = [stem[mention.start : mention.end] for mention in question.mentions.stem]
    assert found == [NAMES[cui] for cui in case.findings]
