"""Names to features: every concept's name through a frozen text encoder.

Rows are the concepts' rows, float16, in the store's format. Work is kept in a folder beside the
output, a file for every few thousand names, each with a checksum: a run that was killed continues,
and does again what is not whole.
"""

import hashlib
import logging
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import polars as pl
import torch
from pydantic import Field
from tqdm import tqdm
from transformers import AutoModel, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase
from transformers.utils.logging import disable_progress_bar

from kg.config import FeaturesConfig
from kg.graph.tables import read_concepts
from kg.shared.artefact import check_space, replacing
from kg.shared.batches import budgeted
from kg.shared.command import Command, main
from kg.shared.errors import InputError
from kg.shared.model_files import check_files, folder_of, locate, own_code_refused, weights_digest
from kg.shared.model_parts import check_vocabulary, shapes_checked
from kg.shared.precision import as_computed
from kg.shared.resume import resumable
from kg.store import write_store

__all__ = ["encode_names", "load_encoder"]

TOKENIZED_AT_ONCE = 65_536
"""Names; bounds the memory for the lengths of millions of names."""

KEPT_AT_ONCE = 8192
"""Names of a file of finished work, at least: 12 MB of 768 numbers."""

log = logging.getLogger(__name__)


def load_encoder(config: FeaturesConfig) -> tuple[PreTrainedTokenizerBase, PreTrainedModel]:
    """The tokenizer and the encoder, in evaluation mode, on a GPU if there is one."""
    where = locate(config.model)
    if Path(where).is_dir():
        check_files(Path(where), "copy or download the text encoder again")
    if not sys.stderr.isatty():
        disable_progress_bar()
    try:
        with own_code_refused(config.model), shapes_checked(config.model):
            model = AutoModel.from_pretrained(
                where,
                dtype=torch.bfloat16 if as_computed(config).bf16 else torch.float32,
                trust_remote_code=False,
            )
            tokenizer = AutoTokenizer.from_pretrained(where, trust_remote_code=False)
    except OSError as error:
        raise InputError(f"text encoder {config.model}: {str(error).splitlines()[0]}") from error
    check_vocabulary(config.model, tokenizer, len(model.get_input_embeddings().weight))
    return tokenizer, model.eval().to("cuda" if torch.cuda.is_available() else "cpu")


def encode_names(
    names: Sequence[str],
    tokenizer: PreTrainedTokenizerBase,
    model: PreTrainedModel,
    config: FeaturesConfig,
    state: Path,
) -> np.ndarray:
    """Vectors (name, hidden) float16; what is done is kept in the folder `state`.

    Batches hold names of like length and do not depend on what is done already, so a continued
    run gives the very vectors of an uninterrupted one.
    """
    if config.lowercase:
        names = [name.lower() for name in names]
    batches = budgeted(_lengths(names, tokenizer, config.max_tokens), config.batch_tokens)
    out = np.empty((len(names), model.config.hidden_size), dtype=np.float16)
    with tqdm(total=len(names), unit="name", disable=None) as bar:
        for number, some in enumerate(_grouped(batches)):
            path, rows = state / f"{number:06}.npz", np.concatenate(some)
            vectors = _kept(path, (len(rows), out.shape[1]))
            if vectors is None:
                parts = [
                    _vectors([names[row] for row in batch], tokenizer, model, config)
                    for batch in some
                ]
                vectors = np.concatenate(parts).astype(np.float16)
                _keep(path, vectors)
            out[rows] = vectors
            bar.update(len(rows))
    return out


def _grouped(batches: Sequence[np.ndarray]) -> Iterator[list[np.ndarray]]:
    """The batches in their order, as many together as fill a file."""
    group: list[np.ndarray] = []
    for batch in batches:
        group.append(batch)
        if sum(map(len, group)) >= KEPT_AT_ONCE:
            yield group
            group = []
    if group:
        yield group


def _keep(path: Path, vectors: np.ndarray) -> None:
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez(file, vectors=vectors, allow_pickle=False)


def _kept(path: Path, shape: tuple[int, int]) -> np.ndarray | None:
    """Vectors of that shape from a file of finished work, None unless it is whole."""
    if not path.is_file():
        return None
    try:
        with np.load(path, allow_pickle=False) as file:
            vectors = file["vectors"]
    except (OSError, EOFError, ValueError, KeyError, BadZipFile) as error:
        log.warning("%s is damaged (%s): its names are encoded again", path, error)
        return None
    return vectors if vectors.shape == shape else None


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
        # Of the work that is kept, and of the store: both are there at the end.
        check_space(self.out, 2 * 2 * len(names) * model.config.hidden_size)
        state = self.out.with_name(f".{self.out.name}.partial")
        with resumable(state, self._identity(names)) as state:
            matrix = encode_names(names, tokenizer, model, self.config, state)
            self._save(concepts, matrix)

    def _identity(self, names: list[str]) -> dict[str, Any]:
        """What is encoded, and by what: finished work serves no other run."""
        digest = hashlib.sha256()
        for name in names:
            digest.update(name.encode() + b"\n")
        return {
            "config": as_computed(self.config).model_dump(mode="json"),
            "names": digest.hexdigest(),
            "weights": weights_digest(folder_of(locate(self.config.model))),
        }

    def _save(self, concepts: pl.DataFrame, matrix: np.ndarray) -> None:
        write_store(self.out, concepts["cui"], matrix, self.config.model_dump(), {})
        log.info("%s: %d names, %d wide", self.out, *matrix.shape)


if __name__ == "__main__":
    main(FeaturesCommand)
