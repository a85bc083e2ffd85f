"""New concepts by a trained encoder."""

import json
import shutil

import numpy as np
import polars as pl
import pytest
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from kg.embed import EmbedCommand
from kg.shared.command import main
from kg.store import EmbeddingStore, write_store
from tests.kg.encoder_run import command, write_tables


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Encoders of a graph in which the concept Z has no triplet."""
    out = tmp_path_factory.mktemp("runs")
    write_tables(out, alone=["Z"])
    for encoder in ("text", "edgegraphsage", "distmult"):
        command(out, out / encoder, encoder=encoder).run()
    return out


def new_features(runs, path, cuis=("A0", "ZZ")):
    """The first new concept has the features of Z, the second those of D00."""
    known = EmbeddingStore(runs / "features.h5")
    features = known.get(["Z", "D00"][: len(cuis)]).astype(np.float16)
    write_store(path, pl.Series(cuis), features, {}, {})
    return path


def arguments(runs, encoder, features, out):
    flags = {"encoder": runs / encoder / "out", "features": features, "out": out}
    return [f"--{name}={value}" for name, value in flags.items()]


@pytest.mark.parametrize("encoder", ["text", "edgegraphsage"])
def test_the_name_of_a_concept_without_edges_has_its_vector(runs, tmp_path, encoder):
    features = new_features(runs, tmp_path / "new.h5")
    main(EmbedCommand, arguments(runs, encoder, features, tmp_path / "out.h5"))
    old, new = (
        EmbeddingStore(runs / encoder / "out/embeddings.h5"),
        EmbeddingStore(tmp_path / "out.h5"),
    )
    assert new.cuis.tolist() == sorted([b"A0", b"ZZ", *old.cuis.tolist()])
    assert new.space == old.space
    kept = [cui.decode() for cui in old.cuis]
    np.testing.assert_array_equal(new.get(kept), old.get(kept))
    np.testing.assert_allclose(new.get(["A0"]), old.get(["Z"]), atol=2e-3)
    assert np.abs(new.get(["A0"]) - new.get(["ZZ"])).max() > 0.05
    # What a graph encoder says of D00 with its neighbours is another thing.
    changed = np.abs(new.get(["ZZ"]) - old.get(["D00"])).max() > 0.05
    assert changed == (encoder == "edgegraphsage")


def test_a_look_up_encoder_cannot(runs, tmp_path, capsys):
    features = new_features(runs, tmp_path / "new.h5")
    with pytest.raises(SystemExit):
        main(EmbedCommand, arguments(runs, "distmult", features, tmp_path / "out.h5"))
    assert "distmult cannot embed concepts" in capsys.readouterr().err


def test_concepts_that_have_a_vector(runs, tmp_path, capsys):
    features = new_features(runs, tmp_path / "new.h5", ["D00", "ZZ"])
    with pytest.raises(SystemExit):
        main(EmbedCommand, arguments(runs, "text", features, tmp_path / "out.h5"))
    assert "1 of 2 concepts" in capsys.readouterr().err
    assert not (tmp_path / "out.h5").exists()


@pytest.mark.parametrize(("key", "value"), [("pooling", "mean"), ("lowercase", False)])
def test_features_that_were_made_otherwise(runs, tmp_path, capsys, key, value):
    write_store(
        tmp_path / "new.h5", pl.Series(["ZZ"]), np.ones((1, 24), np.float16), {key: value}, {}
    )
    with pytest.raises(SystemExit):
        main(EmbedCommand, arguments(runs, "text", tmp_path / "new.h5", tmp_path / "out.h5"))
    assert f"{key} is {value}, the encoder's features had None" in capsys.readouterr().err
    assert not (tmp_path / "out.h5").exists()


def test_another_name_of_the_text_encoder_is_told(runs, tmp_path, caplog):
    features = np.ones((1, 24), np.float16)
    write_store(tmp_path / "new.h5", pl.Series(["ZZ"]), features, {"model": "elsewhere/bert"}, {})
    main(EmbedCommand, arguments(runs, "text", tmp_path / "new.h5", tmp_path / "out.h5"))
    assert "text encoder elsewhere/bert" in caplog.text


def test_a_folder_without_an_encoder(runs, tmp_path, capsys):
    features = new_features(runs, tmp_path / "new.h5")
    (tmp_path / "release").mkdir()
    write_store(
        tmp_path / "release/embeddings.h5", pl.Series(["Q"]), np.ones((1, 5), np.float16), {}, {}
    )
    flags = {"encoder": tmp_path / "release", "features": features, "out": tmp_path / "out.h5"}
    with pytest.raises(SystemExit):
        main(EmbedCommand, [f"--{name}={value}" for name, value in flags.items()])
    assert "encoder.safetensors does not exist" in capsys.readouterr().err


def test_options_of_other_encoders_in_the_file_have_no_meaning(runs, tmp_path):
    shutil.copytree(runs / "text/out", tmp_path / "text/out")
    path = tmp_path / "text/out/encoder.safetensors"
    with safe_open(path, "pt") as file:
        made = json.loads(file.metadata()["made"])
    made["config"] |= {"walks": 10, "epochs": 15, "fanout": 10}
    save_file(load_file(path), path, {"made": json.dumps(made)})
    features = new_features(runs, tmp_path / "new.h5")
    for folder in (runs, tmp_path):
        main(EmbedCommand, arguments(folder, "text", features, tmp_path / f"{folder.name}.h5"))
    one, two = (EmbeddingStore(tmp_path / f"{folder.name}.h5") for folder in (runs, tmp_path))
    np.testing.assert_array_equal(one.embedding, two.embedding)


def test_weights_that_do_not_say_how_they_were_made(runs, tmp_path, capsys):
    shutil.copytree(runs / "text/out", tmp_path / "old/out")
    path = tmp_path / "old/out/encoder.safetensors"
    save_file(load_file(path), path, {"config": "{}"})
    arguments = [
        "--encoder",
        str(path.parent),
        "--features",
        str(new_features(runs, tmp_path / "new.h5")),
    ]
    with pytest.raises(SystemExit):
        main(EmbedCommand, [*arguments, "--out", str(tmp_path / "out.h5")])
    assert "encoder.safetensors is of another version" in capsys.readouterr().err


def test_features_of_another_text_encoder(runs, tmp_path, capsys):
    write_store(tmp_path / "new.h5", pl.Series(["ZZ"]), np.ones((1, 5), np.float16), {}, {})
    with pytest.raises(SystemExit):
        main(EmbedCommand, arguments(runs, "text", tmp_path / "new.h5", tmp_path / "out.h5"))
    assert "features of 5 numbers, expected 24" in capsys.readouterr().err
