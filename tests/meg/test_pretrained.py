import subprocess
import sys

import numpy as np
import pytest
import torch
from huggingface_hub import HfApi
from transformers import GenerationConfig

from kg.errors import InputError
from meg import MEG
from meg.ask import AskCommand
from meg.checkpoint import Record, build, save
from meg.config import PromptConfig
from meg.vectors import Vectors

QUESTION = "Is ataxia a finding in Marfan syndrome?"


@pytest.fixture
def model(model_config, graph):
    torch.manual_seed(0)
    return MEG.from_base(model_config.base, graph / "sage" / "embeddings.h5", model_config)


class TestAsk:
    def test_says_which_concepts_it_used(self, model):
        answer = model.ask(QUESTION, max_new_tokens=4)
        assert [(used.cui, used.words) for used in answer.concepts] == [
            ("C01", "ataxia"),
            ("C02", "Marfan syndrome"),
        ]
        assert str(answer) == answer.text

    def test_says_what_has_no_vector(self, model, graph, caplog):
        model.vectors = Vectors(None)
        assert model.ask(QUESTION, ["yes", "no"]).concepts == ()
        assert "2 of 2 mentions name a concept without a vector" in caplog.text
        assert "(first C01)" in caplog.text

    def test_chooses_among_options_as_they_are_scored(self, model):
        options = ["yes", "no", "maybe"]
        answer = model.ask(QUESTION, options)
        assert answer.scores == model.score_options(QUESTION, options)
        assert answer.text == options[int(np.argmax(answer.scores))]
        assert {used.cui for used in answer.concepts} == {"C01", "C02"}

    def test_works_with_injection_at_the_last_layer(self, model_config, graph, tmp_path):
        torch.manual_seed(0)
        last = model_config.model_copy(update={"injection": "last"})
        made = MEG.from_base(last.base, graph / "sage" / "embeddings.h5", last)
        scores = made.score_options(QUESTION, ["yes", "no"])
        made.save_pretrained(tmp_path / "m")
        again = MEG.from_pretrained(tmp_path / "m")
        assert again.score_options(QUESTION, ["yes", "no"]) == scores
        made.vectors = Vectors(made.vectors.store, "permuted")
        assert made.score_options(QUESTION, ["yes", "no"]) != scores

    def test_of_a_text_only_model_injects_nothing(self, model):
        model.record = model.record.model_copy(update={"prompt": PromptConfig(concepts="none")})
        assert model.ask(QUESTION, max_new_tokens=2).concepts == ()

    def test_generates_a_batch(self, model):
        written = model.generate(**model.prepare([QUESTION, "Why?"]), max_new_tokens=3)
        assert len(written) == 2

    def test_takes_inputs_of_any_device(self, model):
        """`prepare` makes them on the CPU, wherever the model is."""
        batch = {name: _Elsewhere(value) for name, value in model.prepare([QUESTION]).items()}
        assert model.generate(**batch, max_new_tokens=3).shape == (1, 3)

    def test_works_in_half_precision(self, model):
        """The mapper stays float32."""
        model.llm.bfloat16()
        assert model.generate(**model.prepare([QUESTION]), max_new_tokens=3).shape == (1, 3)

    def test_is_greedy_unless_told_otherwise(self, model):
        def written(**options):
            torch.manual_seed(0)
            return model.generate(**model.prepare([QUESTION]), max_new_tokens=12, **options)

        sampled = GenerationConfig(do_sample=True, temperature=9.0, max_new_tokens=12)
        assert torch.equal(written(), written())
        assert not torch.equal(written(), written(generation_config=sampled))

    def test_of_a_model_trained_with_parents_does_without_and_says_so(
        self, model, tmp_path, caplog
    ):
        model.record = model.record.model_copy(update={"prompt": PromptConfig(parents=2)})
        model.save_pretrained(tmp_path / "m")
        assert MEG.from_pretrained(tmp_path / "m").ask(QUESTION, ["yes", "no"]).concepts
        assert "trained with 2 parents" in caplog.text

    @pytest.mark.parametrize(
        ("text", "options"), [("", ["a", "b"]), ("a", ["b"]), ("a", ["b", ""])]
    )
    def test_of_no_question_is_an_error(self, model, text, options):
        with pytest.raises(InputError, match="give a text and two options or more"):
            model.ask(text, options)
        with pytest.raises(InputError, match="no texts"):
            model.prepare([])


class _Elsewhere:
    """A tensor that is of use only where it is moved to."""

    def __init__(self, tensor):
        self.to = tensor.to


class TestSaved:
    def test_answers_as_before(self, model, tmp_path):
        model.save_pretrained(tmp_path / "m")
        again = MEG.from_pretrained(tmp_path / "m")
        assert again.score_options(QUESTION, ["yes", "no"]) == model.score_options(
            QUESTION, ["yes", "no"]
        )

    def test_without_store_or_linker_says_which_flag(self, model, tmp_path, graph):
        gone = {"store_path": str(tmp_path / "gone" / "sage" / "x.h5")}
        model.record = model.record.model_copy(update=gone)
        model.save_pretrained(tmp_path / "m")
        with pytest.raises(InputError, match=r"x\.h5; give --store"):
            MEG.from_pretrained(tmp_path / "m").ask(QUESTION)
        store = graph / "sage" / "embeddings.h5"
        half = MEG.from_pretrained(tmp_path / "m", store=store)
        assert half.linker is not None  # beside the given store
        with pytest.raises(InputError, match="does not exist"):
            MEG.from_pretrained(tmp_path / "m", store=tmp_path / "none.h5")

    def test_another_store_is_refused(self, model, tmp_path, store):
        model.save_pretrained(tmp_path / "m")
        with pytest.raises(InputError, match="other vectors than"):
            MEG.from_pretrained(tmp_path / "m", store=store.path)

    def test_made_without_a_store_needs_none(self, model_config, tmp_path, store):
        meg, _ = build(model_config, Vectors(None).dim)
        prompt = PromptConfig(concepts="none")
        record = Record(model=model_config, kge=1, store="", prompt=prompt)
        save(tmp_path / "m", meg, record)
        assert MEG.from_pretrained(tmp_path / "m").ask(QUESTION, ["yes", "no"]).concepts == ()
        with pytest.raises(InputError, match="omit --store"):
            MEG.from_pretrained(tmp_path / "m", store=store.path)

    def test_no_checkpoint_is_an_error(self, tmp_path):
        with pytest.raises(InputError, match="not a MEG checkpoint"):
            MEG.from_pretrained(tmp_path / "nowhere")


class FakeHub:
    def __init__(self):
        self.files = {}

    def create_repo(self, name, private, exist_ok):
        self.name = name

    def upload_folder(self, repo_id, folder_path):
        self.files = {p.name: p.read_bytes() for p in folder_path.rglob("*") if p.is_file()}
        return f"https://huggingface.co/{repo_id}"


class TestPushed:
    def test_is_the_checkpoint_without_paths(self, model):
        hub = FakeHub()
        assert model.push_to_hub("me/meg", api=hub).endswith("me/meg")
        assert {"meg.json", "mapper.safetensors", "adapter_model.safetensors"} <= set(hub.files)
        assert b"embeddings.h5" not in hub.files["meg.json"]

    def test_without_network_is_an_error_that_says_how_to_go_on(self, model):
        nobody = HfApi(endpoint="http://127.0.0.1:9", token="t")
        with pytest.raises(InputError, match=r"me/meg on the hub .*network.*hf upload me/meg"):
            model.push_to_hub("me/meg", api=nobody)


class TestCommand:
    def test_prints_answer_and_concepts(self, model, tmp_path, capsys):
        model.save_pretrained(tmp_path / "m")
        AskCommand(checkpoint=str(tmp_path / "m"), option=["yes", "no"], question=QUESTION).run()
        shown = capsys.readouterr().out
        assert shown.splitlines()[0] in {"yes", "no"}
        assert "C02  Marfan syndrome" in shown


class TestImport:
    def test_of_a_configuration_needs_no_torch(self):
        code = "import meg.config, sys; sys.exit('torch' in sys.modules)"
        subprocess.run([sys.executable, "-c", code], check=True)
