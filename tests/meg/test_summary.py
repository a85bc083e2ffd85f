from kg.artefact import write_json
from kg.command import main
from meg.comparison import compare
from meg.prediction import Prediction
from meg.score import score
from meg.summary import SummaryCommand


def result(n):
    ours = [Prediction(id=str(i), answer=0, prediction=0) for i in range(n)]
    theirs = [Prediction(id=str(i), answer=0, prediction=i % 2) for i in range(n)]
    comparisons = {"a run with quite a long name indeed": compare(ours, theirs, "x")}
    return score(ours) | {"run": {}, "comparisons": comparisons}


class TestTable:
    def test_shows_each_run_within_the_width(self, tmp_path, capsys):
        write_json(tmp_path / "mmlu_from_medmcqa_mistral_v01.json", result(1000))
        main(SummaryCommand, [str(tmp_path / "mmlu_from_medmcqa_mistral_v01.json")])
        header, own, other = capsys.readouterr().out.splitlines()
        assert max(map(len, (header, own, other))) <= 100
        assert own.split()[1:3] == ["1000", "100.0"]
        assert "50.0 [46.9, 53.1]" in other
        assert "+50.0 [+46." in other
        assert other.endswith("<.001")
