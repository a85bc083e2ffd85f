"""An invented release of MEG: its tables, its lists and an embedding file, of any size.

python -m tests.kg.sources.release_folder data/invented_release --concepts 400
"""

import argparse
import json
from pathlib import Path

import h5py
import numpy as np

__all__ = ["write_release_folder"]

RELATIONS = ("isa", "may_treat", "has_finding_site")
QUALITIES = ("acute", "chronic", "latent", "focal", "benign")
PLACES = ("renal", "hepatic", "dermal", "ocular", "gastric")
ENDS = ("itis", "osis", "oma", "algia", "opathy")


def write_release_folder(
    folder: Path, concepts: int = 400, dim: int = 32, name: str = "graphsage", seed: int = 0
) -> Path:
    """Write the files of a `umls/` folder; vectors are near those of the concepts they relate to.

    Returns `folder`. Same arguments, same contents.
    """
    rng = np.random.default_rng(seed)
    cuis = [f"C{1_000_000 + number}" for number in range(concepts)]
    names = [_name(number) for number in range(concepts)]
    tails = rng.integers(0, concepts, (concepts, 4))
    (folder / "embeddings").mkdir(parents=True, exist_ok=True)
    _write(folder / "vocab.csv", [f"{c}\t{n}" for c, n in zip(cuis, names, strict=True)])
    triplets = [
        {"a": cuis[head], "a_text": names[head], "rel": RELATIONS[i % 3]}
        | {"b": cuis[tail], "b_text": names[tail]}
        for head in range(concepts)
        for i, tail in enumerate(tails[head])
    ]
    _write(folder / "triplets.jsonl", map(json.dumps, triplets))
    parents = [{cuis[head]: [cuis[tails[head][0]]]} for head in range(concepts)]
    _write(folder / "vocab_parents.jsonl", map(json.dumps, parents))
    near = [{"code": c, "neighbors": [names[t] for t in tails[i]]} for i, c in enumerate(cuis)]
    _write(folder / "neighbors_data_n25.jsonl", map(json.dumps, near))
    own = rng.normal(size=(concepts, dim))
    vectors = (own + own[tails].mean(axis=1)).astype(np.float32)
    with h5py.File(folder / "embeddings" / f"word2embed_{name}.h5", "w") as file:
        for cui, vector in zip(cuis, vectors, strict=True):
            file.create_dataset(cui, data=vector)
    return folder


def _name(number: int) -> str:
    quality, place = QUALITIES[number % 5], PLACES[number // 5 % 5]
    return f"{quality} {place} sten{ENDS[number // 25 % 5]} type {number // 125 + 1}"


def _write(path: Path, lines) -> None:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="write an invented release folder")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--concepts", type=int, default=400)
    parser.add_argument("--dim", type=int, default=32)
    parser.add_argument("--seed", type=int, default=0)
    write_release_folder(**vars(parser.parse_args()))
