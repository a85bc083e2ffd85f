"""SentencePiece's tokenizers: one mark of a space before a word, whoever wrote the file."""

import json

from tokenizers.normalizers import Sequence
from tokenizers.pre_tokenizers import Metaspace
from transformers import PreTrainedTokenizerBase

__all__ = ["one_space"]

MARK = "▁"
DOUBLING = [
    {"type": "Prepend", "prepend": MARK},
    {"type": "Replace", "pattern": {"String": " "}, "content": MARK},
]
"""How transformers 4 wrote tokenizer.json of Llama 2 and Mistral."""


def one_space(tokenizer: PreTrainedTokenizerBase) -> None:
    """Let a text that begins with a space begin with one mark, as Mistral's own encoder has it.

    In files of transformers 4 a mark is put before each text and behind each special token, so that
    " Fever" becomes ▁ and ▁Fever. Those of transformers 5 put it where there is no space.
    """
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None or backend.normalizer is None:
        return
    state = json.loads(backend.normalizer.__getstate__())
    if state.get("normalizers") == DOUBLING:
        backend.normalizer = Sequence([])
        backend.pre_tokenizer = Metaspace(MARK, prepend_scheme="always", split=False)
