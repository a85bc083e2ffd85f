import pytest

from meg.datasets.question import Question
from meg.model.trained import Trained


def trained(*stems, options=(("a", "b"),)):
    questions = [
        Question(id=str(i), stem=stem, options=options[i % len(options)], answer=0, kind=stem[:8])
        for i, stem in enumerate(stems)
    ]
    return Trained.on(questions, "listwise", None)


QUIZ = trained(
    "Which of these is a kind of x?",
    "Which of these is a kind of y?",
    "Whom may a nurse call for x?",
    "Whom may a nurse call for y?",
    options=(("a", "b"), ("c", "d")),
)
YESNO = trained("Is it so?", "Does this do?", options=(("yes", "no"),))


class TestTrained:
    def test_says_how_each_kind_begins(self):
        assert QUIZ.examples == ("Which of these is a kind of x?", "Whom may a nurse call for x?")
        assert QUIZ.openings == ("Which of these is a kind of", "Whom may a nurse call for")
        assert QUIZ.labels == ()

    def test_free_wording_has_no_opening(self):
        assert YESNO.openings == ()
        assert YESNO.labels == ("yes", "no")

    @pytest.mark.parametrize(
        ("text", "options", "how"),
        [
            ("which of  these is a kind of z?", ["a"], None),
            ("Is a a kind of z?", ["yes", "no"], "in other words, such as 'Which of these is a"),
        ],
    )
    def test_other_words(self, text, options, how):
        found = QUIZ.otherwise(text, options)
        assert found is None if how is None else how in found

    def test_other_options(self):
        assert YESNO.otherwise("Why?", ["no", "yes"]) is None
        assert YESNO.otherwise("Why?", ["yes", "no", "maybe"]) == "to choose among yes, no"
