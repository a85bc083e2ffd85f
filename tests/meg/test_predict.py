from importlib.metadata import PackageNotFoundError

import pytest

from kg.shared.artefact import file_digest
from kg.shared.command import main
from meg.config import PromptConfig
from meg.datasets.question import Question, write_questions
from meg.evaluation.prediction import read_predictions, read_run
from meg.predict import PredictCommand
from meg.prompts.wording import prompt_version
from tests.meg.inference.test_answer import questions


class TestCommand:
    def test_writes_answers_and_circumstances(self, model_config, store, tmp_path):
        labels = ("yes", "no", "maybe")
        asked = [Question(id=f"q{i}", stem="Is it?", options=labels, answer=i) for i in range(3)]
        write_questions(tmp_path / "q.jsonl", asked)
        prompt = PromptConfig(instruction="Choose.")
        main(
            PredictCommand,
            [
                f"--questions={tmp_path}/q.jsonl",
                f"--store={store.path}",
                f"--model={model_config.model_dump_json()}",
                f"--prompt={prompt.model_dump_json()}",
                f"--out={tmp_path}/p.jsonl",
            ],
        )
        assert [row.id for row in read_predictions(tmp_path / "p.jsonl")] == ["q0", "q1", "q2"]
        run = read_run(tmp_path / "p.jsonl")
        assert run.labels == labels
        assert run.model_extra["prompt"]["instruction"] == "Choose."
        assert run.prompt_version == prompt_version(prompt)
        assert run.digests.questions == file_digest(tmp_path / "q.jsonl")

    def test_runs_from_a_checkout_that_is_not_installed(self, model_config, tmp_path, monkeypatch):
        def version(package):
            if package == "meg-pipeline":
                raise PackageNotFoundError(package)
            return "1.0"

        monkeypatch.setattr("meg.predict.version", version)
        write_questions(tmp_path / "q.jsonl", questions())
        main(
            PredictCommand,
            [
                f"--questions={tmp_path}/q.jsonl",
                f"--model={model_config.model_dump_json()}",
                '--prompt={"concepts": "none"}',
                f"--out={tmp_path}/p.jsonl",
            ],
        )
        versions = read_run(tmp_path / "p.jsonl").versions
        assert versions["meg-pipeline"] == "not installed"
        assert versions["torch"] == "1.0"

    def test_the_store_may_be_left_out_where_no_concept_is_asked_for(
        self, model_config, tmp_path, capsys
    ):
        asked = [Question(id="q", stem="Is it?", options=("yes", "no"), answer=0)]
        write_questions(tmp_path / "q.jsonl", asked)

        def arguments(**prompt):
            return [
                f"--questions={tmp_path}/q.jsonl",
                f"--model={model_config.model_dump_json()}",
                f"--prompt={PromptConfig(**prompt).model_dump_json()}",
                f"--out={tmp_path}/p.jsonl",
            ]

        main(PredictCommand, arguments(concepts="none"))
        assert read_run(tmp_path / "p.jsonl").digests.store is None
        for wrong in ({"concepts": "question"}, {"concepts": "none", "triplets": 2}):
            with pytest.raises(SystemExit):
                main(PredictCommand, arguments(**wrong))
            assert "give --store" in capsys.readouterr().err
