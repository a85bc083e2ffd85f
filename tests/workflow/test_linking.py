"""A linker that learns from an annotated corpus, where the configuration names one."""

import json
from pathlib import Path

import pytest
import yaml

from kg.config import LinkConfig
from kg.linking.linker import Linker
from tests.kg.sources.release_folder import write_release_folder
from tests.workflow.conftest import Snakemake
from tests.workflow.test_config import changed
from tests.workflow.test_dag import jobs
from workflow.config import load_config

NAME = "acute renal stenitis type 1"
LINKER = "results/kg/release/linker"


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """A name of the invented release: in every other text it is a mention."""
    mention = {"start": 2, "end": 2 + len(NAME), "cui": "C1000000"}
    meant = {"text": f"a {NAME} was seen", "mentions": [mention]}
    lines = [meant, {"text": f"no {NAME} was seen"}] * 50
    path = tmp_path / "a corpus.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def configured(folder: Path, **link: object) -> tuple[str, ...]:
    """Arguments for the smoke configuration on the invented release, with this section `link`."""
    kg = {"name": "release", "source": "release", "folder": str(folder / "umls")}
    kg |= {"release": {"embeddings": []}}
    change = {"kg": kg, "encoder": "text", "link": link}
    (folder / "change.yaml").write_text(yaml.safe_dump(change))
    return ("--configfile", "config/smoke.yaml", str(folder / "change.yaml"))


class TestPlan:
    def test_without_a_corpus_nothing_is_learned(
        self, snakemake: Snakemake, tmp_path: Path
    ) -> None:
        counts = jobs(snakemake("-n", LINKER, *configured(tmp_path)))
        assert counts == {"tables": 1, "linker": 1}

    def test_with_one_it_comes_first(
        self, snakemake: Snakemake, tmp_path: Path, corpus: Path
    ) -> None:
        output = snakemake("-n", "-p", LINKER, *configured(tmp_path, corpus=str(corpus)))
        assert jobs(output) == {"tables": 1, "link_priors": 1, "linker": 1}
        assert "--accept results/kg/release/accept.npz" in output

    def test_the_accept_model_is_left_out_by_its_key(
        self, snakemake: Snakemake, tmp_path: Path, corpus: Path
    ) -> None:
        arguments = configured(tmp_path, corpus=str(corpus), accept=False)
        output = snakemake("-n", "-p", LINKER, *arguments)
        assert "--priors results/kg/release/priors.parquet" in output
        assert "accept.npz" not in output

    def test_a_corpus_that_is_not_there(self, snakemake: Snakemake, tmp_path: Path) -> None:
        arguments = configured(tmp_path, corpus="data/none.jsonl")
        output = snakemake("-n", LINKER, *arguments, status=1)
        assert "link: corpus: data/none.jsonl does not exist; put an annotated corpus" in output


def test_the_linker_keeps_what_concerns_linking(corpus: Path) -> None:
    link = {"corpus": str(corpus), "min_link": 0.5}
    assert load_config(changed({"link": link})).link.settings == LinkConfig(min_link=0.5)


def test_a_small_corpus_is_learned_from(snakemake: Snakemake, tmp_path: Path, corpus: Path) -> None:
    write_release_folder(tmp_path / "umls", concepts=60)
    arguments = configured(tmp_path, corpus=str(corpus))
    snakemake("--cores", "1", LINKER, *arguments)
    linker = Linker.load(tmp_path / LINKER)
    assert linker.accept is not None
    assert linker.link(f"a {NAME} was seen")[0].candidates[0].cui == "C1000000"
    assert "Nothing to be done" in snakemake("-n", LINKER, *arguments)
