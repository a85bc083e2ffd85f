import pytest

from kg.shared.artefact import write_json
from kg.shared.command import main
from kg.shared.documents import write_document
from meg.evaluation.paired import compare
from meg.evaluation.prediction import Prediction
from meg.evaluation.result import Compared
from meg.evaluation.scoring import score
from meg.seeds import over_seeds
from meg.summary import SummaryCommand
from tests.meg.test_seeds import result as seed


def of_kinds(right):
    """A result of kinds k -> whether its one question is right."""
    rows = [
        Prediction(id=kind, kind=kind, answer=0, prediction=int(not one))
        for kind, one in right.items()
    ]
    return Compared(**dict(score(rows)), runs=[], comparisons={})


def result(n):
    ours = [Prediction(id=str(i), answer=0, prediction=0) for i in range(n)]
    theirs = [Prediction(id=str(i), answer=0, prediction=i % 2) for i in range(n)]
    comparisons = {"a run with quite a long name indeed": compare(ours, theirs, "x")}
    return Compared(**dict(score(ours)), runs=[], comparisons=comparisons)


class TestTable:
    def test_shows_each_run_within_the_width(self, tmp_path, capsys):
        write_document(tmp_path / "mmlu_from_medmcqa_mistral_v01.json", result(1000))
        main(SummaryCommand, [str(tmp_path / "mmlu_from_medmcqa_mistral_v01.json")])
        header, own, other = capsys.readouterr().out.splitlines()
        assert max(map(len, (header, own, other))) <= 100
        assert own.split()[:3] == ["…_from_medmcqa_mistral_v01", "1000", "100.0"]
        assert "50.0 [46.9, 53.1]" in other
        assert "+50.0 [+46." in other
        assert other.endswith("<.001")

    @pytest.mark.parametrize(("n", "said"), [(11, True), (12, False)])
    def test_says_where_runs_hardly_differ(self, n, said, tmp_path, capsys):
        """Every second question is right in one run alone."""
        write_document(tmp_path / "a.json", result(n))
        main(SummaryCommand, [str(tmp_path / "a.json")])
        shown = capsys.readouterr().out
        note = "a and a run with quite a long name indeed: 5 questions are answered rightly by one"
        assert (note in shown) == said

    def test_by_kind_where_asked(self, tmp_path, capsys):
        write_document(tmp_path / "one.json", of_kinds({"gene": True, "is_a": False}))
        write_document(tmp_path / "another.json", of_kinds({"gene": False}))
        paths = [str(tmp_path / "one.json"), str(tmp_path / "another.json")]
        main(SummaryCommand, [*paths, "--kinds"])
        shown = [line.split() for line in capsys.readouterr().out.split("\n\n")[1].splitlines()]
        assert shown == [["result", "gene", "is_a"], ["one", "100.0", "0.0"], ["another", "0.0"]]


class TestSeeds:
    def test_are_shown_as_mean_and_deviation(self, tmp_path, capsys):
        write_document(tmp_path / "seeds.json", over_seeds([seed(0, 10, 5), seed(1, 7, 4)]))
        main(SummaryCommand, [str(tmp_path / "seeds.json"), "--kinds"])
        _, own, other = capsys.readouterr().out.splitlines()
        assert " ".join(own.split()) == "seeds (mean of 2 seeds) 10 85.0 ± 21.2"
        assert other.split()[-3:] == ["+45.0", "±", "7.1"]

    def test_what_is_no_result_is_refused(self, tmp_path, capsys):
        write_json(tmp_path / "summary.json", {"splits": {}})
        with pytest.raises(SystemExit):
            main(SummaryCommand, [str(tmp_path / "summary.json")])
        assert "name a file that meg.score run or meg.seeds or meg." in capsys.readouterr().err
