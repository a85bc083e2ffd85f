import json
import logging
import subprocess
import sys

import pytest

from kg.shared.errors import InputError
from kg.store import EmbeddingStore
from meg import MEG
from meg.ask import AskCommand
from meg.config import PromptConfig
from meg.model.checkpoint import build, save
from meg.model.record import Record
from meg.prompts.tokens import Tokens
from tests.kg.sources.phenopackets import packet
from tests.meg.datasets.patient_graph import annotated_graph, patient_store, write_annotated

GRAPH = annotated_graph()


@pytest.fixture
def phenopacket(tmp_path):
    own = tuple(GRAPH.annotations.filter(disease="OMIM:03")["finding"])
    path = tmp_path / "case.json"
    undiagnosed = packet("p", "OMIM:03", own) | {"interpretations": []}
    path.write_text(json.dumps(undiagnosed), encoding="utf-8")
    return path


@pytest.fixture
def store(tmp_path):
    write_annotated(tmp_path / "hpo", GRAPH)
    return patient_store(tmp_path / "hpo" / "sage" / "embeddings.h5", GRAPH).path


def test_a_patients_diseases_need_no_model(phenopacket, store, capsys):
    AskCommand(phenopacket=phenopacket, store=store).run()
    lines = capsys.readouterr().out.splitlines()
    assert "by information and vectors, without an LLM" in lines[0]
    assert "not medical advice" in lines[0]
    assert lines[2].startswith(" 1. ")
    assert "(OMIM:03)" in lines[2]


def test_nor_vectors(phenopacket, store, capsys):
    AskCommand(phenopacket=phenopacket, graph=store.parent.parent).run()
    assert "by information, without an LLM" in capsys.readouterr().out


def checkpoint(folder, model_config, store, prompt):
    dim, space = 8, EmbeddingStore(store).space
    network, _ = build(model_config, dim)
    record = Record(model=model_config, kge=dim, store=space, prompt=prompt, store_path=str(store))
    save(folder, network, record)
    return str(folder)


def test_one_that_judges_options_has_a_part_in_it(
    phenopacket, store, model_config, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(Tokens, "verdicts", (ord("Y"), ord("N")))
    # Folders of graphs need no linker for it.
    (store.parent.parent / "linker").mkdir()
    prompt = PromptConfig(answer="yesno", list_options=False)
    folder = checkpoint(tmp_path / "model", model_config, store, prompt)
    AskCommand(phenopacket=phenopacket, checkpoint=folder).run()
    assert "by information and vectors, with the LLM" in capsys.readouterr().out


def test_one_that_does_not_is_left_out_and_named(
    phenopacket, store, model_config, tmp_path, capsys, caplog
):
    folder = checkpoint(tmp_path / "model", model_config, store, PromptConfig())
    with caplog.at_level(logging.WARNING):
        AskCommand(phenopacket=phenopacket, checkpoint=folder).run()
    assert "ranked without the LLM: it chooses among listed options" in caplog.text
    assert "without an LLM" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({}, "give a question, or"),
        ({"question": "Is it?"}, "--checkpoint"),
        ({"phenopacket": "case.json"}, "--graph"),
        ({"phenopacket": "case.json", "question": "Is it?"}, "give a question, or"),
    ],
)
def test_what_is_missing_is_said(given, missing, phenopacket):
    if "phenopacket" in given:
        given = given | {"phenopacket": phenopacket}
    with pytest.raises(InputError, match=missing):
        AskCommand(**given).run()


@pytest.mark.parametrize("flags", [[], ["-v"]], ids=["alone", "verbose"])
def test_a_command_line_says_in_one_line_what_was_loaded(model_config, graph, tmp_path, flags):
    model = MEG.from_base(model_config.base, graph / "sage" / "embeddings.h5", model_config)
    model.save_pretrained(tmp_path / "m")
    asked = ["--checkpoint", str(tmp_path / "m"), "--option", "yes", "--option", "no", "Is it?"]
    command = [sys.executable, "-m", "meg.ask", *flags, *asked]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert done.stdout.splitlines()[0] in {"yes", "no"}
    lines = done.stderr.splitlines()
    assert "adapters merged, float32 on cpu; vectors of 2 concepts" in lines[-1]
    assert (len(lines) == 1) == (not flags)
    assert ("attention sdpa" in done.stderr) == bool(flags)
