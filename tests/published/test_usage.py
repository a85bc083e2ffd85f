"""docs/how-to/published.md: its Python runs as it stands, on a small LLM that knows Clopidogrel."""

import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from kg.config import LinkConfig
from kg.graph.tables import CONCEPTS, concepts_digest
from kg.linking.build import build_dictionary
from kg.linking.dictionary import write_dictionary
from kg.store import write_store
from meg.import_published import ImportPublishedCommand
from tests.published.test_importing import ALPHA, KGE, Release

PAGE = Path(__file__).parents[2] / "docs/how-to/published.md"


def snippet():
    [found] = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    return found.replace("max_new_tokens=500", "max_new_tokens=8")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where the page's commands have been run."""
    release = Release(tmp_path, "mistral", "mlp", "model_state_dict.pt")
    graph = tmp_path / "results/kg/release"
    graph.mkdir(parents=True)
    rows = [("C0070166", "Clopidogrel", [], [], None)]
    concepts = pl.DataFrame(rows, CONCEPTS, orient="row")
    config = LinkConfig()
    dictionary, _ = build_dictionary(concepts, config, None)
    about = {"config": config.model_dump(mode="json"), "concepts": concepts_digest(concepts["cui"])}
    write_dictionary(graph / "linker", dictionary, about)
    store = graph / "embeddings.h5"
    write_store(store, concepts["cui"], np.ones((1, KGE), dtype=np.float32), {}, {})
    ImportPublishedCommand(
        published=release.path,
        base=str(release.base),
        store=store,
        alpha=ALPHA,
        out=tmp_path / "imported",
    ).run()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_page_answers(folder, capsys):
    said = {}
    exec(snippet(), said)
    [used] = said["answer"].concepts
    assert (used.cui, used.words) == ("C0070166", "Clopidogrel")
    assert said["inputs"]["concepts"].tolist() == [[0.0] * KGE]
    place = said["model"].network.placeholder
    assert said["inputs"]["input_ids"].tolist()[0].count(place) == 1
    assert said["written"].shape[1] <= 8
    assert said["answer"].text in capsys.readouterr().out
