import pytest

from meg.datasets.quizwords import made_wording


@pytest.mark.parametrize(
    ("relation", "head", "tail"),
    [
        ("may_treat", "Which of these may treat X?", "X may treat which of these?"),
        ("treats", "Which of these treats X?", "X treats which of these?"),
        ("has_phenotype", "Which of these has phenotype X?", "X has phenotype which of these?"),
        ("part_of", "Which of these is part of X?", "X is part of which of these?"),
        ("associatedWith", "Which of these is associated with X?", None),
        ("located-in", "Which of these is located in X?", "X is located in which of these?"),
        ("occurs_in", "Which of these occurs in X?", "X occurs in which of these?"),
        ("gene_of_disease", "Which of these is gene of disease X?", None),
        ("is_a", "Which of these is a kind of X?", "X is a kind of which of these?"),
        ("CHD", "Which of these is a kind of X?", None),
        ("RO", 'Which of these is linked to X by "RO"?', 'X is linked to which of these by "RO"?'),
        ("contraindication", 'Which of these is linked to X by "contraindication"?', None),
        ("diagnosis", 'Which of these is linked to X by "diagnosis"?', None),
        ("{}", 'Which of these is linked to X by "{}"?', None),
    ],
)
def test_words_of_a_relations_name(relation, head, tail):
    assert made_wording(relation, "head").format(name="X") == head
    if tail is not None:
        assert made_wording(relation, "tail").format(name="X") == tail
