"""Base LLMs that the workflow makes."""

from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from kg.shared.errors import InputError
from meg.base import BaseCommand, byte_tokenizer, random_model


def made(folder: Path, seed: int = 0) -> Path:
    BaseCommand(base="random:llama", seed=seed, out=folder).run()
    return folder


class TestRandomModel:
    def test_loads_as_any_other(self, tmp_path: Path) -> None:
        folder = made(tmp_path / "llama")
        tokenizer = AutoTokenizer.from_pretrained(folder)
        model = AutoModelForCausalLM.from_pretrained(folder)
        assert model.config.model_type == "llama"
        assert model.get_input_embeddings().weight.shape[0] == len(tokenizer)
        ids = torch.tensor([tokenizer("Fever?").input_ids])
        assert model(input_ids=ids).logits.shape == (1, 6, len(tokenizer))

    def test_same_seed_same_weights(self, tmp_path: Path) -> None:
        files = [made(tmp_path / str(i), seed=i // 2) / "model.safetensors" for i in range(3)]
        first, second, other = (file.read_bytes() for file in files)
        assert first == second
        assert first != other

    def test_unknown_type_is_an_error(self) -> None:
        with pytest.raises(InputError, match="knows no model type 'nonsense'"):
            random_model("nonsense", 8, 0)


class TestByteTokenizer:
    @pytest.mark.parametrize("text", ["Sjögren — 5'→3'", "\u2028\t\n", "😷<|im_end|>"])
    def test_gives_any_text_back(self, text: str) -> None:
        tokenizer = byte_tokenizer()
        assert tokenizer.decode(tokenizer(text).input_ids) == text

    def test_tells_yes_from_no_by_the_first_token(self) -> None:
        yes, no = byte_tokenizer()(["? Yes", "? No"]).input_ids
        assert yes[1] != no[1]

    def test_writes_turns(self) -> None:
        turns = [{"role": "user", "content": "Hi"}]
        text = byte_tokenizer().apply_chat_template(
            turns, tokenize=False, add_generation_prompt=True
        )
        assert text == "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"


class TestWrongBase:
    @pytest.mark.parametrize(
        ("base", "message"),
        [
            ("meta-llama/Llama-3.1-8B-Instruct", "is not a .gguf file"),
            ("nowhere/x.gguf", "does not exist"),
            ("pointer.gguf", "is the pointer of Git LFS"),
            ("empty.gguf", "is empty"),
            ("cut.gguf", "is cut short, damaged, or of a kind"),
            ("other.gguf", "is cut short or damaged .*not GGUF"),
            ("package:nothing_here/x.gguf", "is not installed"),
        ],
    )
    def test_is_an_error(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, base: str, message: str
    ) -> None:
        monkeypatch.chdir(tmp_path)
        Path("pointer.gguf").write_text("version https://git-lfs.github.com/spec/v1\n")
        Path("empty.gguf").touch()
        Path("cut.gguf").write_bytes(b"GGUF" + bytes([3, 0, 0, 0, 9, 0, 0]))
        Path("other.gguf").write_bytes(bytes(100))
        with pytest.raises(InputError, match=message):
            BaseCommand(base=base, seed=0, out=tmp_path / "out").run()
        assert not (tmp_path / "out").exists()
