"""Base LLMs: found, loaded with the attention and precision that suit, and checked."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    BitsAndBytesConfig,
    PreTrainedTokenizerBase,
)
from transformers.utils import is_bitsandbytes_available

from kg.shared import processes
from kg.shared.errors import InputError
from kg.shared.model_files import check_files, locate, own_code_refused
from kg.shared.model_parts import check_vocabulary, shapes_checked
from kg.shared.precision import fast_bfloat16
from meg.config import ModelConfig
from meg.model.attention import attention, let_share_rows
from meg.model.network import context_length
from meg.prompts.tokens import Tokens

if TYPE_CHECKING:
    from transformers import PreTrainedModel

__all__ = ["load_llm", "table"]

log = logging.getLogger(__name__)


def load_llm(
    config: ModelConfig, revision: str | None = None, trained: bool = False
) -> tuple["PreTrainedModel", Tokens]:
    """A base LLM, frozen, with its tokenizer; `trained`: its backward pass is what counts.

    Raises InputError when it cannot be loaded.
    """
    name = locate(config.base)
    if Path(name).is_dir():
        check_files(Path(name), "copy or download the base LLM again")
    dtype = getattr(torch, config.dtype)
    if dtype == torch.bfloat16 and not fast_bfloat16():
        dtype = torch.float32
    implementation = attention(dtype, trained)
    let_share_rows(implementation)
    options: dict[str, Any] = {}
    pinned = {"revision": revision} if revision else {}
    if config.quantize != "none":
        if not is_bitsandbytes_available():
            raise InputError(
                f"model.quantize {config.quantize} needs bitsandbytes: pip install bitsandbytes, "
                "or set it to none"
            )
        options["quantization_config"] = BitsAndBytesConfig(
            load_in_8bit=config.quantize == "8bit",
            load_in_4bit=config.quantize == "4bit",
            bnb_4bit_quant_type="nf4",  # QLoRA's (arXiv 2305.14314)
            bnb_4bit_compute_dtype=dtype,
        )
        options["device_map"] = {"": processes.device()}
    with own_code_refused(config.base), shapes_checked(config.base):
        llm, tokenizer = _loaded(config.base, name, implementation, pinned, dtype=dtype, **options)
    check_vocabulary(config.base, tokenizer, len(table(llm)))
    if not config.chat:
        tokenizer.chat_template = None
    llm.requires_grad_(False)
    implementation = llm.config.get_text_config()._attn_implementation
    log.info(
        "base LLM %s, attention %s, %s, %s", config.base, implementation, dtype, processes.device()
    )
    return llm, Tokens(tokenizer, config.system, context_length(llm))


def _loaded(
    base: str, name: str, implementation: str, pinned: dict[str, str], **options: Any
) -> tuple["PreTrainedModel", PreTrainedTokenizerBase]:
    try:
        llm = _with_attention(implementation, name, **options, **pinned)
        # Mistral's own tokenizer class, which repositories with a tekken.json get where
        # mistral-common is installed, cannot take the placeholder.
        tokenizer = AutoTokenizer.from_pretrained(
            name, mistral_format=False, trust_remote_code=False, **pinned
        )
    except (OSError, ImportError, ValueError, SafetensorError) as error:
        raise InputError(
            f"the base LLM {base!r} cannot be loaded from {Path.cwd()}: {error}; check the "
            "name, accept its licence on the hub and set HF_TOKEN, or name a local folder by base "
            "(--base); `python -m meg.base` makes one of a .gguf file or of random:<model type>"
        ) from error
    return llm, tokenizer


def _with_attention(implementation: str, name: str, **options: Any) -> "PreTrainedModel":
    """The LLM, with plain attention where it does not know the implementation asked for."""
    try:
        return AutoModelForCausalLM.from_pretrained(
            name, attn_implementation=implementation, trust_remote_code=False, **options
        )
    except ValueError as error:
        if implementation == "eager" or "does not support" not in str(error):
            raise
        log.warning("%s: no %s; its attention is computed plainly", name, implementation)
        return AutoModelForCausalLM.from_pretrained(name, attn_implementation="eager", **options)


def table(llm: "PreTrainedModel") -> torch.Tensor:
    """Input embeddings (vocab, hidden) of an LLM."""
    embeddings = llm.get_input_embeddings()
    assert isinstance(embeddings, torch.nn.Embedding)
    return embeddings.weight
