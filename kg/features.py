"""Names to features: every concept's name through a frozen text encoder.

Rows are the concepts' rows, float16, in the store's format. Work is kept in a matrix beside the
output in which a row of NaN is still to do; its name holds a digest of the names and the
config, so that a run that was killed continues, and another one does not touch it.
"""

import hashlib
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
import torch
from pydantic import Field
from tqdm import tqdm
from transformers import AutoModel, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase
from transformers.utils.logging import disable_progress_bar

from kg.artefact import replacing
from kg.command import Command, main
from kg.config import FeaturesConfig
from kg.errors import InputError
from kg.model_files import locate
from kg.precision import as_computed
from kg.store import write_store
from kg.tables import read_concepts

__all__ = ["encode_names", "load_encoder"]

TOKENIZED_AT_ONCE = 65_536
"""Names; bounds the memory for the lengths of millions of names."""

log = logging.getLogger(__name__)


def load_encoder(config: FeaturesConfig) -> tuple[PreTrainedTokenizerBase, PreTrainedModel]:
    """The tokenizer and the encoder, in evaluation mode, on a GPU if there is one."""
    where = locate(config.model)
    if not sys.stderr.isatty():
        disable_progress_bar()
    try:
        tokenizer = AutoTokenizer.from_pretrained(where)
        model = AutoModel.from_pretrained(
            where, dtype=torch.bfloat16 if as_computed(config).bf16 else torch.float32
        )
    except OSError as error:
        raise InputError(f"text encoder {config.model}: {str(error).splitlines()[0]}") from error
    return tokenizer, model.eval().to("cuda" if torch.cuda.is_available() else "cpu")


def encode_names(
    names: Sequence[str],
    tokenizer: PreTrainedTokenizerBase,
    model: PreTrainedModel,
    config: FeaturesConfig,
    out: np.ndarray,
) -> None:
    """Write the vector of names[i] to out[i]; rows of `out` (name, hidden) without NaN are done.

    Batches hold names of like length and do not depend on what is done already, so a continued
    run gives the very vectors of an uninterrupted one.
    """
    if config.lowercase:
        names = [name.lower() for name in names]
    batches = _batches(_lengths(names, tokenizer, config.max_tokens), config.batch_tokens)
    todo = [rows for rows in batches if np.isnan(out[rows]).any()]
    left = sum(map(len, todo))
    with tqdm(total=len(names), initial=len(names) - left, unit="name", disable=None) as bar:
        for rows in todo:
            out[rows] = _vectors([names[row] for row in rows], tokenizer, model, config)
            bar.update(len(rows))


@torch.inference_mode()
def _vectors(
    names: list[str],
    tokenizer: PreTrainedTokenizerBase,
    model: PreTrainedModel,
    config: FeaturesConfig,
) -> np.ndarray:
    inputs = tokenizer(
        names, padding=True, truncation=True, max_length=config.max_tokens, return_tensors="pt"
    ).to(model.device)
    hidden = model(**inputs).last_hidden_state.float()
    if config.pooling == "cls":
        pooled = hidden[:, 0]
    else:
        mask = inputs["attention_mask"].unsqueeze(-1)
        pooled = (hidden * mask).sum(1) / mask.sum(1)
    return pooled.cpu().numpy()


def _lengths(
    names: Sequence[str], tokenizer: PreTrainedTokenizerBase, max_tokens: int
) -> np.ndarray:
    lengths: list[int] = []
    for start in range(0, len(names), TOKENIZED_AT_ONCE):
        part = list(names[start : start + TOKENIZED_AT_ONCE])
        ids = tokenizer(part, truncation=True, max_length=max_tokens)["input_ids"]
        lengths += map(len, ids)
    return np.array(lengths)


def _batches(lengths: np.ndarray, budget: int) -> list[np.ndarray]:
    """Rows in batches, shortest names first; names x longest name of a batch <= budget tokens."""
    order = np.argsort(lengths, kind="stable")
    batches, start = [], 0
    while start < len(order):
        ahead = lengths[order[start : start + budget]]
        padded = ahead * np.arange(1, len(ahead) + 1)
        count = max(1, int(np.searchsorted(padded, budget, side="right")))
        batches.append(order[start : start + count])
        start += count
    return batches


def _digest(names: Sequence[str], config: FeaturesConfig) -> str:
    digest = hashlib.sha256(config.model_dump_json().encode())
    for name in names:
        digest.update(name.encode() + b"\n")
    return digest.hexdigest()


def _open_partial(path: Path, shape: tuple[int, int]) -> np.ndarray:
    if path.exists():
        matrix = np.load(path, mmap_mode="r+", allow_pickle=False)
        if matrix.shape == shape:
            log.info("%s: continuing, %d rows are done", path, (~np.isnan(matrix[:, -1])).sum())
            return matrix
    # A file is made of zeros first, and those would count as done.
    with replacing(path) as temporary:
        matrix = np.lib.format.open_memmap(temporary, mode="w+", dtype=np.float16, shape=shape)
        matrix[:] = np.nan
        matrix.flush()
    return np.load(path, mmap_mode="r+", allow_pickle=False)


class FeaturesCommand(Command):
    """Concept names through a text encoder: features.h5."""

    concepts: Path = Field(description="concepts.parquet")
    out: Path = Field(description="features.h5 to write, in the store's format")
    config: FeaturesConfig = Field(
        FeaturesConfig(), description="section `features` of the configuration"
    )

    def run(self) -> None:
        """Encode what is still to encode, then write the store."""
        concepts = read_concepts(self.concepts)
        if concepts.is_empty():
            raise InputError(f"{self.concepts} has no concepts; check the stage that made it")
        names = concepts["name"].to_list()
        tokenizer, model = load_encoder(self.config)
        self.out.parent.mkdir(parents=True, exist_ok=True)
        digest = _digest(names, as_computed(self.config))
        partial = self.out.with_name(f".{self.out.name}.{digest[:16]}.partial.npy")
        matrix = _open_partial(partial, (len(names), model.config.hidden_size))
        encode_names(names, tokenizer, model, self.config, matrix)
        self._save(concepts, np.array(matrix))
        partial.unlink()

    def _save(self, concepts: pl.DataFrame, matrix: np.ndarray) -> None:
        write_store(self.out, concepts["cui"], matrix, self.config.model_dump(), {})
        log.info("%s: %d names, %d wide", self.out, *matrix.shape)


if __name__ == "__main__":
    main(FeaturesCommand)
