"""A small tokenizer of the SentencePiece kind, in the files of transformers 4 and of 5."""

import json

import pytest
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from meg.config import PromptConfig
from meg.datasets.question import Question
from meg.prompts.tokens import Tokens
from meg.prompts.wording import MARKER, Prompt, name_prompt
from tests.meg.prompts.test_golden_prompts import doubling

WORDS = ("fever", "Name", "Which", "flu", "A")
SPECIAL = ["<unk>", "<s>", "</s>", "[INST]", "[/INST]"]
TEMPLATE = "{% for m in messages %}{{ '[INST] ' + m.content + '[/INST]' }}{% endfor %}"


def backend():
    vocabulary = [*SPECIAL, "▁", *dict.fromkeys("".join(WORDS))]
    merges = []
    for word in WORDS:
        parts = ["▁" + word[:end] for end in range(len(word) + 1)]
        merges += list(zip(parts, word, strict=False))
        vocabulary += parts[1:]
    numbers = {token: i for i, token in enumerate(dict.fromkeys(vocabulary))}
    tokenizer = Tokenizer(models.BPE(numbers, merges, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace("▁", prepend_scheme="always", split=False)
    return tokenizer


@pytest.fixture(params=["transformers 4", "transformers 5"])
def tokens(request, tmp_path):
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=backend(), bos_token="<s>", eos_token="</s>", unk_token="<unk>"
    )
    wrapped.add_special_tokens({"additional_special_tokens": SPECIAL[3:]})
    wrapped.chat_template = TEMPLATE
    wrapped.save_pretrained(tmp_path)
    if request.param == "transformers 4":
        doubling(tmp_path / "tokenizer.json")
    return Tokens(AutoTokenizer.from_pretrained(tmp_path))


def words(tokens, ids):
    return tokens.tokenizer.convert_ids_to_tokens(list(ids))


class TestOneMark:
    def test_before_a_name(self, tokens):
        found = tokens.name_example(name_prompt([("C1", "fever")]))
        assert words(tokens, found.names[0]) == ["▁fever"]
        assert words(tokens, found.branches[0]) == ["▁fever", "</s>"]

    @pytest.mark.parametrize("answer", ["text", "letter"])
    def test_before_an_answer(self, tokens, answer):
        question = Question(id="q", stem="Which", options=("flu", "fever"), answer=0)
        config = PromptConfig(answer=answer, list_options=False)
        found = tokens.question_example(question, config, bool)
        assert words(tokens, found.branches[0])[0] == {"text": "▁flu", "letter": "▁A"}[answer]

    def test_behind_a_special_token_and_a_placeholder(self, tokens):
        prompt = Prompt("q", f"Which fever{MARKER} Name", (), ("C1",))
        found = words(tokens, tokens.open_example(prompt).prefix)
        assert found == ["[INST]", "▁Which", "▁fever", MARKER, "▁Name", "[/INST]"]


def test_other_normalizers_stay():
    tokenizer = backend()
    tokenizer.normalizer = normalizers.Lowercase()
    wrapped = PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>")
    Tokens(wrapped)
    assert json.loads(wrapped.backend_tokenizer.normalizer.__getstate__())["type"] == "Lowercase"
