"""A checkpoint as an ordinary folder of transformers: the LLM with its adapters in its weights.

    FOLDER/                what any tool of transformers' files reads: weights, tokenizer, template
    FOLDER/meg/            meg.json, mapper.safetensors, embeddings.h5: what concept vectors need

`FOLDER/meg` is a checkpoint whose base LLM is the folder around it.
"""

import shutil
from pathlib import Path
from typing import Any

from safetensors.torch import save_file
from transformers import AutoTokenizer

from kg.shared.artefact import replacing, write_json
from kg.shared.errors import InputError
from kg.shared.model_files import folder_of, locate
from kg.store import EmbeddingStore
from meg.model.checkpoint import check_folder
from meg.model.network import ConceptLM
from meg.model.origin import base_digest, path_from
from meg.model.record import INSIDE, Record

__all__ = ["check_export", "export"]

FILES = {
    *(
        "config.json",
        "generation_config.json",
        "model*.safetensors",
        "model.safetensors.index.json",
    ),
    *("tokenizer*", "special_tokens_map.json", "added_tokens.json", "vocab*", "merges.txt"),
    *("chat_template*", "additional_chat_templates", "*.model", INSIDE),
}
"""What transformers and we write into the folder; with another file it is not replaced."""

STORE = "embeddings.h5"


def check_export(folder: Path) -> None:
    """Raise InputError where an export would take the place of something else."""
    check_folder(folder, FILES, "export")


def export(
    network: ConceptLM, record: Record, store: EmbeddingStore | None, linker: str | None, out: Path
) -> None:
    """Write the folder, whole or not at all; an older export is replaced.

    `store` has the vectors, if the model takes any; where the `linker` is, is written down. Raises
    InputError for an LLM of quantized weights, to which adapters cannot be added.
    """
    check_export(out)
    llm = _plain(network)
    source = folder_of(locate(record.model.base), record.base_revision)
    tokenizer = AutoTokenizer.from_pretrained(source, mistral_format=False)
    with replacing(out, sum(part.nbytes for part in llm.state_dict().values())) as temporary:
        llm.save_pretrained(temporary)
        # As published: the model's own, in memory, knows the placeholder.
        tokenizer.save_pretrained(temporary)
        inside = temporary / INSIDE
        inside.mkdir()
        save_file(network.mapper.state_dict(), inside / "mapper.safetensors")
        if store is not None:
            shutil.copyfile(store.path, inside / STORE)
        made = {
            "model": record.model.model_copy(update={"base": ".."}),
            "merged": True,
            "base_digest": base_digest(temporary),
            "base_revision": None,
            "store_path": STORE if store is not None else None,
            "linker_path": path_from(out / INSIDE, linker),
        }
        written = record.model_copy(update=made)
        write_json(inside / "meg.json", written.model_dump(mode="json"))


def _plain(network: ConceptLM) -> Any:
    """The LLM with the adapters in its weights."""
    if getattr(network.llm, "is_quantized", False):
        raise InputError(
            "the LLM's weights are quantized, and adapters cannot be added to them; name the LLM "
            "as it was before by base (--base), and set model.quantize to none in meg.json"
        )
    return network.llm.merge_and_unload() if network.adapted else network.llm
