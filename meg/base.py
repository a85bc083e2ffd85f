"""A base LLM that transformers can train: a converted GGUF file, or a tiny random one.

GGUF weights stay packed, and are slow to read, unless they are dequantised; the folder written
here loads in a moment. A random model answers by chance: it serves to try the pipeline.
"""

import logging
import struct
from pathlib import Path
from typing import Any

import torch
from pydantic import Field
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
    GgufConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    PreTrainedTokenizerFast,
)

from kg.shared.artefact import replacing
from kg.shared.command import Command, main
from kg.shared.damage import check_file
from kg.shared.errors import InputError
from kg.shared.model_files import locate

__all__ = ["RANDOM", "byte_tokenizer", "convert_gguf", "random_model"]

RANDOM = "random:"
"""Prefix of a base that is made up: random:<model type of transformers>."""

START, END = "<|im_start|>", "<|im_end|>"
"""Marks of a turn in ChatML."""

CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' }}"
    "{{ message['content'] + '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)

MERGES = [("Ġ", "Y"), ("Ġ", "N")]
"""In byte-level alphabets Ġ stands for the space."""

TINY: dict[str, Any] = {
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
}

log = logging.getLogger(__name__)


def convert_gguf(path: Path) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """The dequantised model of a GGUF file in bfloat16, and its tokenizer."""
    check_file(path, "give the path of a whole .gguf file")
    try:
        model = AutoModelForCausalLM.from_pretrained(
            path.parent,
            gguf_file=path.name,
            dtype=torch.bfloat16,
            quantization_config=GgufConfig(dequantize=True),
        )
        return model, AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)
    # The reader checks nothing: what is cut is an index or a shape that does not fit.
    except (OSError, ValueError, LookupError, RuntimeError, TypeError, struct.error) as error:
        raise InputError(
            f"{path} is cut short, damaged, or of a kind that transformers does not read "
            f"({error!s:.200}); download it again, or take another file"
        ) from error


def random_model(model_type: str, vocabulary: int, seed: int) -> PreTrainedModel:
    """A causal LM of a known type with two narrow layers and seeded random weights."""
    try:
        config = AutoConfig.for_model(model_type, vocab_size=vocabulary, **TINY)
    except ValueError as error:
        raise InputError(
            f"{RANDOM}{model_type}: transformers knows no model type {model_type!r}; "
            "give one such as llama or mistral"
        ) from error
    torch.manual_seed(seed)
    return AutoModelForCausalLM.from_config(config)


def byte_tokenizer() -> PreTrainedTokenizerFast:
    """A tokenizer of single bytes with a ChatML template: nothing to train or to download.

    Only the beginnings of " Yes" and " No" are merged, as both answers must not start alike.
    """
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokens = [START, END, *alphabet, *map("".join, MERGES)]
    vocabulary = {token: number for number, token in enumerate(tokens)}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=MERGES))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=START,
        eos_token=END,
        pad_token=END,
        chat_template=CHATML,
    )


class BaseCommand(Command):
    """A GGUF file, or a random tiny LLM, as a folder of transformers."""

    base: str = Field(description="package:<package>/<file>.gguf, a .gguf path, or random:llama")
    seed: int = Field(0, ge=0, description="seed of a random model's weights")
    out: Path = Field(description="folder to write")

    def run(self) -> None:
        """Make model and tokenizer, write them whole."""
        model: PreTrainedModel
        tokenizer: PreTrainedTokenizerBase
        if self.base.startswith(RANDOM):
            tokenizer = byte_tokenizer()
            model = random_model(self.base.removeprefix(RANDOM), len(tokenizer), self.seed)
        elif self.base.endswith(".gguf"):
            model, tokenizer = convert_gguf(Path(locate(self.base)))
        else:
            raise InputError(f"{self.base} is not a .gguf file nor {RANDOM}<type>; use it as it is")
        with replacing(self.out, model.get_memory_footprint()) as temporary:
            model.save_pretrained(temporary)
            tokenizer.save_pretrained(temporary)
        log.info("%s: %s, %d parameters", self.out, self.base, model.num_parameters())


if __name__ == "__main__":
    main(BaseCommand)
