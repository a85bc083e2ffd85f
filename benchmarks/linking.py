"""Accuracy and speed of the dictionary linker: the tables of docs/reference/benchmarks.md.

    python benchmarks/linking.py accuracy train.jsonl.gz     # MedMentions, `kg.linking.corpus`
    python benchmarks/linking.py accuracy train.jsonl.gz --names results/kg/hpo/concepts.parquet
    python benchmarks/linking.py speed train.jsonl.gz --names 4000000

Accuracy: names and priors from the papers of one part, scores on the other (by hash of the id);
two more rows with a graph's names for its UMLS concepts beside those of the papers.
Where mmlite is installed, it gets a row with the same names.
Speed: generated names of one to five words, added to the corpus's own, one thread,
the best of three passes.
"""

import gc
import importlib.util
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
from pydantic import Field
from pydantic_settings import CliApp, CliPositionalArg, CliSubCommand

from kg.config import LinkConfig
from kg.graph.tables import CONCEPTS, normalise_concepts, read_concepts, write_concepts
from kg.linking.approximate import Approximate
from kg.linking.build import build_dictionary
from kg.linking.corpus import Document, held_out, read_corpus
from kg.linking.dictionary import read_dictionary
from kg.linking.evaluate import evaluate
from kg.linking.fit import fit_folds, fit_priors
from kg.linking.fit_accept import fit_accept
from kg.linking.linker import Linker
from kg.linking.mention import Candidate, Mention
from kg.linking.normalise import keys_of, words_of
from kg.shared.command import Command, main

_BUILD = """
import sys, time
from pathlib import Path
from kg.command import main
from kg.link import Link
main(Link, sys.argv[1:])
[peak] = [line for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line]
print(time.process_time(), int(peak.split()[1]) / 1024)
"""
"""A build that says its CPU seconds and peak MB: rusage would count this program's memory too."""


class Accuracy(Command):
    """Precision, recall and F1 with and without what each step adds."""

    corpus: CliPositionalArg[Path] = Field(description="gold mentions, JSON lines")
    held_out: float = Field(0.1, gt=0, lt=1, description="share of the papers scored")
    split: str = Field("", description="salt of the hash: another tenth of the papers, few rows")
    names: Path | None = Field(None, description="concepts.parquet whose names are known too")

    def run(self) -> None:
        salted = [_salted(document, self.split) for document in read_corpus(self.corpus)]
        train, test = held_out(salted, self.held_out)
        concepts = corpus_concepts(train)
        learned, folds = fit_folds(train, set())
        accept = fit_accept(train, folds)
        rows: dict[str, tuple] = {
            "link probability (default with a corpus)": (LinkConfig(), learned, None),
            "accept model (`fit --accept`)": (LinkConfig(), learned, accept),
        }
        if not self.split:
            unmarked = [Document(document.id, document.text) for document in train]
            names = concepts.select(pl.concat_list("name", "synonyms")).to_series().explode()
            keys = {key for name in names for key in keys_of(name)}
            frequencies = fit_priors(unmarked, keys)
            rows |= {
                "names only": (LinkConfig(min_link=0), None, None),
                "names, generic words left out": (LinkConfig(), None, None),
                "document frequencies, no annotations": (LinkConfig(), frequencies, None),
                "typing errors corrected": (LinkConfig(typos=True), learned, None),
                **{
                    f"approximate names, cosine >= {least}": (
                        LinkConfig(approximate=least),
                        learned,
                        None,
                    )
                    for least in (0.9, 0.8, 0.7)
                },
            }
        _out(f"{len(train)} papers learned from, {len(test)} scored")
        _out(f"accept model: threshold {accept.threshold:.3f}")
        _out("| method | document P | R | F1 | mention P | R | F1 |\n|---|---|---|---|---|---|---|")
        for name, (config, priors, model) in rows.items():
            dictionary = build_dictionary(concepts, config, priors)[0]
            near = Approximate.of(dictionary.strings()) if config.approximate < 1 else None
            _row(name, evaluate(Linker(dictionary, config, model, near), test))
        if self.names is not None:
            _named(train, test, _of_umls(self.names))
        if self.split:
            return
        if importlib.util.find_spec("mmlite"):
            with tempfile.TemporaryDirectory() as folder:
                rival = Rival(concepts, Path(folder))
                start = time.process_time()
                scores = evaluate(rival, test)  # type: ignore[arg-type]
                seconds = time.process_time() - start
            _row("mmlite", scores)
            _out(f"mmlite: {len(test) / seconds:.0f} texts a CPU second")


class Speed(Command):
    """Time and memory of building, loading and linking."""

    corpus: CliPositionalArg[Path] = Field(description="texts to link, JSON lines")
    names: int = Field(4_000_000, ge=1000, description="names in the dictionary")
    priors: Path | None = Field(None, description="priors.parquet of `kg.link fit`")
    accept: Path | None = Field(None, description="accept.npz of `kg.link fit --accept`")
    texts: int = Field(1000, ge=1, description="texts linked")

    def run(self) -> None:
        documents = read_corpus(self.corpus)
        concepts = generated_concepts(documents, self.names)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "linker"
            write_concepts(path.with_name("concepts.parquet"), concepts)
            arguments = ["build", "--concepts", f"{path.parent}/concepts.parquet", "--out", path]
            if self.priors is not None:
                arguments += ["--priors", self.priors]
            if self.accept is not None:
                arguments += ["--accept", self.accept]
            command = [sys.executable, "-c", _BUILD, *map(str, arguments)]
            build, peak = map(float, subprocess.check_output(command, text=True).split())
            counts = read_dictionary(path)[1]["counts"]
            size = sum(file.stat().st_size for file in path.iterdir()) / 1e6
            # The generated names are this program's, no linker's: keep the collector off them.
            gc.collect()
            gc.freeze()
            load = min(_seconds(lambda: Linker.load(path)) for _ in range(5))
            linker = Linker.load(path)
            texts = [document.text for document in documents[: self.texts]]
            passes = []
            for _ in range(3):
                start = time.process_time()
                mentions = sum(len(linker.link(text)) for text in texts)
                passes.append(time.process_time() - start)
            link = min(passes)
        kilobytes = sum(map(len, texts)) / 1000
        _out("| names | keys | build CPU s | build peak MB | file MB | load ms | texts / CPU s |")
        _out("|---|---|---|---|---|---|---|")
        _out(
            f"| {counts['names']} | {counts['keys']} | {build:.1f} | {peak:.0f} | {size:.0f} "
            f"| {1000 * load:.1f} | {len(texts) / link:.0f} |"
        )
        _out(f"{kilobytes / len(texts):.2f} kB a text, {mentions / len(texts):.1f} mentions a text")


class Rival:
    """mmlite (MetaMapLite in Python) over the same names, through invented RRF files."""

    def __init__(self, concepts: pl.DataFrame, folder: Path) -> None:
        from mmlite import MetaMapLite  # noqa: PLC0415
        from mmlite.index.build import build_index  # noqa: PLC0415

        conso, sty = folder / "MRCONSO.RRF", folder / "MRSTY.RRF"
        with conso.open("w") as names, sty.open("w") as types:
            for cui, name, synonyms in concepts.select("cui", "name", "synonyms").iter_rows():
                types.write(f"{cui}|T047|A1|Disease or Syndrome|AT1|256|\n")
                for number, text in enumerate([name, *synonyms]):
                    kind = "P|L1|PF|S1|Y" if number == 0 else "S|L1|VO|S1|N"
                    clean = text.replace("|", " ").replace("\n", " ")
                    names.write(f"{cui}|ENG|{kind}|A1||||MSH|PT|D1|{clean}|0|N|256|\n")
        build_index(mrconso=conso, mrsty=sty, out_dir=folder / "index")
        self.rival = MetaMapLite(index_directory=folder / "index", tagger=_tagger())

    def link(self, text: str) -> list[Mention]:
        """Entities with their first cui."""
        return [
            Mention(
                start=entity.start,
                end=entity.start + len(entity.text),
                candidates=(Candidate(cui=entity.cuis[0], score=1),),
            )
            for entity in self.rival.process_text(text, detect_negations=False)
        ]


class Linking(Command):
    """Benchmarks of kg.link."""

    accuracy: CliSubCommand[Accuracy]
    speed: CliSubCommand[Speed]

    def run(self) -> None:
        CliApp.run_subcommand(self)


def corpus_concepts(documents: Sequence[Document]) -> pl.DataFrame:
    """A concept table of the mentions' own strings: the commonest is the name."""
    names: dict[str, Counter[str]] = defaultdict(Counter)
    for document in documents:
        for start, end, cui in document.mentions:
            names[cui][document.text[start:end]] += 1
    ranked = {cui: [name for name, _ in found.most_common()] for cui, found in names.items()}
    rows: list[tuple] = [(cui, found[0], found[1:], [], None) for cui, found in ranked.items()]
    return normalise_concepts(pl.DataFrame(rows, schema=CONCEPTS, orient="row"))


def _of_umls(path: Path) -> pl.DataFrame:
    """The concepts whose id is a CUI, as the corpus's are."""
    return read_concepts(path).filter(pl.col("cui").str.contains(r"^C\d{7}$"))


def _named(train: Sequence[Document], test: Sequence[Document], more: pl.DataFrame) -> None:
    """Rows with the names of `more` beside those of the papers."""
    names = more.select(pl.concat_list("name", "synonyms")).to_series().explode()
    learned, folds = fit_folds(train, {key for name in names for key in keys_of(name)})
    papers = corpus_concepts(train)
    others = papers.join(more, on="cui", how="anti")
    # Names of the papers are in each fold's priors, and only those of its own papers may be.
    nameless = others.with_columns(name=pl.lit(""), synonyms=pl.lit([], dtype=CONCEPTS["synonyms"]))
    accept = fit_accept(train, folds, pl.concat([more, nameless]).sort("cui"))
    both = pl.concat([more, papers]).group_by("cui", maintain_order=True)
    named = both.agg(
        pl.first("name"),
        synonyms=pl.concat_list("name", "synonyms").explode().unique(maintain_order=True),
        semantic_types=pl.first("semantic_types"),
        definition=pl.first("definition"),
    )
    concepts = normalise_concepts(named)
    dictionary = build_dictionary(concepts, LinkConfig(), learned)[0]
    for name, model in {"link probability": None, "accept model": accept}.items():
        _row(
            f"{name}, {more.height} concepts' names",
            evaluate(Linker(dictionary, LinkConfig(), model), test),
        )


def generated_concepts(documents: Sequence[Document], names: int) -> pl.DataFrame:
    """The corpus's concepts, and invented ones of two names up to a number of names.

    An invented name has one to five words: of the corpus (a half) or made of two halves of them.
    """
    known = corpus_concepts(documents)
    generator = np.random.default_rng(0)
    found = Counter(word for document in documents for word in words_of(document.text)[1])
    vocabulary = np.array([word for word in found if len(word) > 3])
    made = np.char.add(
        [word[: len(word) // 2 + 1] for word in generator.choice(vocabulary, 400_000)],
        [word[len(word) // 2 :] for word in generator.choice(vocabulary, 400_000)],
    )
    words = [*generator.choice(vocabulary, 400_000).tolist(), *made.tolist()]
    lengths = generator.integers(1, 6, names)
    drawn = iter(generator.integers(len(words), size=int(lengths.sum()), dtype=np.int32))
    invented = [" ".join(words[next(drawn)] for _ in range(length)) for length in lengths]
    half = len(invented) // 2
    extra = pl.DataFrame(
        {
            "cui": [f"X{number:07d}" for number in range(half)],
            "name": invented[:half],
            "synonyms": [[name] for name in invented[half : 2 * half]],
            "semantic_types": [[] for _ in range(half)],
            "definition": [None] * half,
        },
        schema=CONCEPTS,
    )
    return normalise_concepts(pl.concat([known, extra]))


def _salted(document: Document, salt: str) -> Document:
    return replace(document, id=salt + document.id)


def _tagger():
    from mmlite.pipeline.postag import NullPosTagger  # noqa: PLC0415

    return NullPosTagger()


def _row(name: str, scores: dict[str, dict[str, float]]) -> None:
    cells = [f"{s[k]:.1f}" for s in scores.values() for k in ("precision", "recall", "f1")]
    _out(f"| {name} | {' | '.join(cells)} |")


def _seconds(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def _out(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(Linking)
