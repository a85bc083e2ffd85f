import json

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from kg.shared.errors import InputError
from meg import MEG
from meg.ask import AskCommand
from meg.export import ExportCommand
from meg.model.checkpoint import load
from tests.meg.inference.test_pretrained import QUESTION


@pytest.fixture
def checkpoint(model_config, graph, tmp_path):
    """Trained adapters, and a mapper that is not what a fresh one would be."""
    torch.manual_seed(0)
    model = MEG.from_base(model_config.base, graph / "sage" / "embeddings.h5", model_config)
    for name, parameter in model.named_parameters():
        if "lora_B" in name or "mapper" in name:
            torch.nn.init.normal_(parameter, std=0.3)
    model.save_pretrained(tmp_path / "m")
    return tmp_path / "m"


@pytest.fixture
def exported(checkpoint, tmp_path):
    ExportCommand(checkpoint=str(checkpoint), out=tmp_path / "out").run()
    return tmp_path / "out"


@pytest.fixture
def unmerged(checkpoint):
    return MEG.from_pretrained(checkpoint, trainable=True)


class TestPlainLLM:
    def test_is_the_adapted_one(self, exported, unmerged):
        """Worst difference seen 1e-5."""
        plain = AutoModelForCausalLM.from_pretrained(exported).eval()
        ids = torch.tensor([unmerged.tokens.tokenizer(QUESTION).input_ids])
        with torch.no_grad():
            expected = unmerged.network.llm(input_ids=ids).logits
            torch.testing.assert_close(plain(input_ids=ids).logits, expected, atol=5e-5, rtol=0)

    def test_has_tokenizer_template_and_generation_settings(self, exported, model_config):
        found, published = map(AutoTokenizer.from_pretrained, (exported, model_config.base))
        assert found.get_vocab() == published.get_vocab()
        assert found.chat_template == published.chat_template is not None
        assert (exported / "generation_config.json").is_file()

    def test_lies_apart_from_what_transformers_does_not_know(self, exported):
        assert {p.name for p in exported.glob("*.safetensors")} == {"model.safetensors"}
        inside = {p.name for p in (exported / "meg").iterdir()}
        assert inside == {"meg.json", "mapper.safetensors", "embeddings.h5"}


class TestModel:
    @pytest.mark.parametrize("text", [QUESTION, "Why is the sky blue?"], ids=["vectors", "none"])
    def test_computes_as_before(self, exported, unmerged, text):
        again = MEG.from_pretrained(exported)
        batch = unmerged.prepare([text])
        assert bool(len(batch["concepts"])) == (text == QUESTION)
        assert torch.equal(batch["concepts"], again.prepare([text])["concepts"])
        positions = torch.arange(batch["input_ids"].shape[1])[None]
        with torch.no_grad():
            found, expected = (m(**batch, position_ids=positions) for m in (again, unmerged))
        torch.testing.assert_close(found, expected, atol=5e-5, rtol=0)

    def test_needs_nothing_of_before_but_the_linker(self, exported, checkpoint, tmp_path):
        checkpoint.rename(tmp_path / "gone")
        moved = exported.rename(tmp_path / "moved")
        model = MEG.from_pretrained(moved)
        assert model.vectors.store.path.samefile(moved / "meg" / "embeddings.h5")
        assert {used.cui for used in model.ask(QUESTION, ["yes", "no"]).concepts} == {"C01", "C02"}

    def test_is_asked_and_saved(self, exported, tmp_path, capsys):
        AskCommand(checkpoint=str(exported), option=["yes", "no"], question=QUESTION).run()
        shown = capsys.readouterr().out
        assert "C02  Marfan syndrome" in shown
        MEG.from_pretrained(exported).save_pretrained(tmp_path / "n")
        AskCommand(checkpoint=str(tmp_path / "n"), option=["yes", "no"], question=QUESTION).run()
        assert capsys.readouterr().out == shown

    def test_of_other_weights_is_refused(self, exported, unmerged):
        unmerged.network.llm.get_base_model().save_pretrained(exported)
        with pytest.raises(InputError, match="trained on another LLM"):
            MEG.from_pretrained(exported)

    def test_cannot_be_trained(self, exported):
        with pytest.raises(InputError, match="is an export, without adapters"):
            load(exported / "meg", trainable=True)


class TestFolder:
    def test_of_an_older_export_is_replaced_and_another_is_not(self, exported, checkpoint):
        command = ExportCommand(checkpoint=str(checkpoint), out=exported)
        command.run()
        (exported / "model.gguf").touch()
        with pytest.raises(InputError, match=r"1 files of no export \(first model\.gguf\)"):
            command.run()
        with pytest.raises(InputError, match=r"of no export \(first adapter\)"):
            ExportCommand(checkpoint=str(checkpoint), out=checkpoint).run()

    def test_is_not_written_for_quantized_weights(self, checkpoint, tmp_path):
        pytest.importorskip("bitsandbytes")
        file = checkpoint / "meg.json"
        record = json.loads(file.read_text())
        record["model"]["quantize"] = "8bit"
        file.write_text(json.dumps(record))
        with pytest.raises(InputError, match="weights are quantized"):
            ExportCommand(checkpoint=str(checkpoint), out=tmp_path / "out").run()
        assert not (tmp_path / "out").exists()

    def test_of_adapters_that_peft_has_to_merge(self, checkpoint, tmp_path):
        file = checkpoint / "adapter" / "adapter_config.json"
        settings = json.loads(file.read_text()) | {"alpha_pattern": {"q_proj": 9}}
        file.write_text(json.dumps(settings))
        ExportCommand(checkpoint=str(checkpoint), out=tmp_path / "out").run()
        expected = MEG.from_pretrained(checkpoint).score_options(QUESTION, ["yes", "no"])
        found = MEG.from_pretrained(tmp_path / "out").score_options(QUESTION, ["yes", "no"])
        assert found == pytest.approx(expected, abs=2e-4)
