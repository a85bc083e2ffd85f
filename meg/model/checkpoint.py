"""Base LLMs and checkpoints: load, extend by adapters and a mapper, save.

A checkpoint is small: `meg.json` (what it was made from and with, and how it is asked),
`mapper.safetensors`, and `adapter/` in PEFT's format. The base LLM stays where it is and is named, with the store's digest.
"""

import json
import logging
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Literal

import torch
from peft import LoraConfig, PeftModel, get_peft_model, get_peft_model_state_dict
from pydantic import Field
from safetensors import SafetensorError
from safetensors.torch import save_file
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    BitsAndBytesConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.utils import is_bitsandbytes_available

from kg.shared import processes
from kg.shared.artefact import read_json, replacing, write_json
from kg.shared.command import Section
from kg.shared.errors import InputError
from kg.shared.model_files import check_files, locate, own_code_refused, read_tensors
from kg.shared.model_parts import check_vocabulary, shapes_checked
from kg.shared.precision import fast_bfloat16
from kg.store import EmbeddingStore
from meg.config import ModelConfig, PromptConfig
from meg.model.attention import attention, let_share_rows
from meg.model.mapper import Mapper
from meg.model.network import ConceptLM, context_length
from meg.model.origin import check_base, identify, path_from, path_to
from meg.model.trained import Trained
from meg.prompts.tokens import Tokens

__all__ = [
    "CONTRAST",
    "History",
    "Record",
    "build",
    "check_finite",
    "check_folder",
    "check_store",
    "load",
    "load_contrast",
    "load_mapper",
    "read_record",
    "recorded",
    "save",
    "write_history",
]

History = list[dict[str, Any]]

CONTRAST = "contrast.safetensors"
"""Of an imported checkpoint: the inverse mapper and the weight of Phase I's losses, to go on."""

FILES = {"adapter", "mapper.safetensors", CONTRAST, "meg.json", "history.jsonl", "metrics.json"}
"""What a checkpoint folder holds; another one is not overwritten."""

log = logging.getLogger(__name__)


class Record(Section):
    """`meg.json`: what a checkpoint is."""

    format: Literal["meg-checkpoint-1"] = "meg-checkpoint-1"
    model: ModelConfig
    kge: int = Field(description="width of the concept vectors")
    store: str = Field(description="EmbeddingStore.space of its vectors; empty: none were used")
    prompt: PromptConfig | None = Field(
        None, description="of Phase II, or of the published Phase I; null after ours"
    )
    trained: Trained | None = Field(None, description="on which questions; null after Phase I")
    base_digest: str | None = Field(
        None, description="of the base LLM's weights and tokenizer (meg.origin); null: not known"
    )
    base_revision: str | None = Field(None, description="of the base LLM, if it is of the hub")
    store_path: str | None = Field(None, description="where the store was; a hint for meg.ask")
    linker_path: str | None = Field(None, description="where the linker was; a hint for meg.ask")


def build(config: ModelConfig, kge: int, adapters: bool = True) -> tuple[ConceptLM, Tokens]:
    """The base LLM with a fresh mapper and, if wanted, fresh adapters.

    The LLM's own parameters are frozen. Raises InputError when the base cannot be loaded.
    """
    llm, tokens = _base(config)
    mapper = Mapper(config.mapper, kge, _table(llm).shape[1]).to(_table(llm).device)
    # As the layer returns them: Gemma 3's scales its weights.
    every = torch.arange(len(_table(llm)), device=_table(llm).device)
    mapper.fit_to(llm.get_input_embeddings()(every))
    adapted = get_peft_model(llm, _lora(config)) if adapters else llm
    return _assemble(adapted, mapper, tokens, config), tokens


def save(
    path: Path,
    network: ConceptLM,
    record: Record,
    history: History | None = None,
    metrics: dict[str, Any] | None = None,
) -> None:
    """Write a checkpoint folder, whole or not at all, with what its training logged.

    An older checkpoint is replaced; see `check_folder`. Of several processes that train together
    only the first writes.
    """
    if not processes.is_first():
        return
    check_folder(path)
    weights = dict(network.mapper.state_dict())
    if isinstance(network.llm, PeftModel):
        weights |= get_peft_model_state_dict(network.llm)
    check_finite(weights)
    with replacing(path, sum(values.nbytes for values in weights.values())) as temporary:
        temporary.mkdir()
        if isinstance(network.llm, PeftModel):
            network.llm.save_pretrained(str(temporary / "adapter"))
        save_file(network.mapper.state_dict(), temporary / "mapper.safetensors")
        write_json(temporary / "meg.json", recorded(path, record).model_dump(mode="json"))
        if history is not None:
            write_history(temporary / "history.jsonl", history)
        if metrics is not None:
            write_json(temporary / "metrics.json", metrics)


def check_folder(path: Path) -> None:
    """Raise InputError where a checkpoint would take the place of something else."""
    if path.is_file():
        raise InputError(f"{path} is a file; a checkpoint is a folder: name another one")
    if path.is_dir() and (others := sorted({item.name for item in path.iterdir()} - FILES)):
        raise InputError(
            f"{path} holds {len(others)} files of no checkpoint (first {others[0]}), which would "
            "be lost; name another folder, or move them"
        )


def load(
    path: Path, base: str | None = None, trainable: bool = False
) -> tuple[ConceptLM, Tokens, Record]:
    """Read a checkpoint; `base` says where the base LLM is, if not where the record says.

    The record that is returned says where it was found. Raises InputError where the checkpoint
    is incomplete or of another LLM.
    """
    record = read_record(path)
    config, revision = record.model, record.base_revision
    if base not in (None, config.base):
        config, revision = config.model_copy(update={"base": base}), None
    llm, tokens = _base(config, revision)
    check_base(path, config.base, record.base_digest, revision)
    mapper = load_mapper(path)
    if (path / "adapter").is_dir():
        check_files(path / "adapter", "copy the checkpoint's folder whole")
    try:
        adapted = PeftModel.from_pretrained(llm, str(path / "adapter"), is_trainable=trainable)
    except (RuntimeError, ValueError, OSError) as error:
        raise InputError(
            f"{path} has no whole adapter, or one of another LLM than {config.base}: "
            f"{error!s:.300}; copy the folder whole, and name its LLM by base (--base)"
        ) from error
    found = record.model_copy(update={"model": config, "base_revision": revision})
    return _assemble(adapted, mapper, tokens, config), tokens, found


def load_mapper(path: Path) -> Mapper:
    """The mapper of a checkpoint, without the LLM that it belongs to."""
    record, file = read_record(path), path / "mapper.safetensors"
    if not file.is_file():
        raise InputError(f"{path} is incomplete: no {file.name}; copy the folder whole")
    weights, _ = read_tensors(file, "copy the checkpoint's folder whole")
    # The last parameter of a mapper of any width is its output layer's bias.
    *_, bias = Mapper(record.model.mapper, record.kge, 1).network.state_dict()
    mapper = Mapper(record.model.mapper, record.kge, len(weights[f"network.{bias}"]))
    mapper.load_state_dict(weights)
    return mapper


def load_contrast(path: Path) -> dict[str, torch.Tensor] | None:
    """F and the weight of Phase I's losses, of an imported checkpoint that has them."""
    file = path / CONTRAST
    return read_tensors(file, "import it again")[0] if file.is_file() else None


def read_record(path: Path) -> Record:
    """`meg.json` of a checkpoint folder."""
    if not (path / "meg.json").is_file():
        raise InputError(f"{path} is not a MEG checkpoint (no meg.json); run meg.align first")
    try:
        record = Record.model_validate(read_json(path / "meg.json"))
    except ValueError as error:
        first = str(error).replace("\n", " ")
        raise InputError(
            f"{path / 'meg.json'} is no record of a checkpoint of this format: {first:.300}; "
            "copy the folder whole, or train again"
        ) from error
    return _with_paths(record, partial(path_to, path))


def recorded(path: Path, record: Record) -> Record:
    """The record as it is written in the folder `path`: with the base LLM's digest, if it can be
    told, and relative paths as they are seen from there."""
    if record.base_digest is None:
        digest, revision = identify(record.model)
        record = record.model_copy(update={"base_digest": digest, "base_revision": revision})
    return _with_paths(record, partial(path_from, path))


def check_store(record: Record, store: EmbeddingStore | None) -> None:
    """Raise InputError unless the store's vectors are of the space that the model learned."""
    if store is None:
        if record.store:
            raise InputError("the checkpoint takes concept vectors; give --store, those it had")
    elif not record.store:
        raise InputError("the checkpoint is a text-only one and takes no vectors; omit --store")
    elif record.store != store.space or record.kge != store.dim:
        raise InputError(
            f"the checkpoint was trained with other vectors than {store.path} has ({store.dim} "
            f"wide, expected {record.kge}; or of another encoder); give --store the one it was "
            "trained with, or that one extended by kg.embed, or train again"
        )


def _with_paths(record: Record, change: Callable[[str | None], str | None]) -> Record:
    model = record.model.model_copy(update={"base": change(record.model.base)})
    paths = {name: change(getattr(record, name)) for name in ("store_path", "linker_path")}
    return record.model_copy(update={"model": model, **paths})


def _assemble(
    llm: PreTrainedModel | PeftModel, mapper: Mapper, tokens: Tokens, config: ModelConfig
) -> ConceptLM:
    return ConceptLM(llm, mapper, tokens.placeholder, config.injection).to(processes.device())


def _base(config: ModelConfig, revision: str | None = None) -> tuple[PreTrainedModel, Tokens]:
    name = locate(config.base)
    if Path(name).is_dir():
        check_files(Path(name), "copy or download the base LLM again")
    dtype = getattr(torch, config.dtype)
    if dtype == torch.bfloat16 and not fast_bfloat16():
        dtype = torch.float32
    implementation = attention(dtype)
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
    check_vocabulary(config.base, tokenizer, len(_table(llm)))
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
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
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


def _with_attention(implementation: str, name: str, **options: Any) -> PreTrainedModel:
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


def _table(llm: PreTrainedModel) -> torch.Tensor:
    embeddings = llm.get_input_embeddings()
    assert isinstance(embeddings, torch.nn.Embedding)
    return embeddings.weight


def _lora(config: ModelConfig) -> LoraConfig:
    settings = config.lora
    return LoraConfig(
        r=settings.r,
        lora_alpha=settings.alpha,
        lora_dropout=settings.dropout,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )


def write_history(path: Path, history: History) -> None:
    """Write what was logged as JSON lines."""
    with replacing(path) as temporary:
        temporary.write_text("".join(json.dumps(row) + "\n" for row in history), encoding="utf-8")


def check_finite(weights: Mapping[str, Any]) -> None:
    """Raise InputError for trained weights that are no numbers; no loss shows the last step's."""
    for name, values in weights.items():
        if not torch.isfinite(values).all():
            raise InputError(
                f"{name} is not finite after the training, and not saved; train with a lower "
                "learning_rate, which starts anew"
            )
