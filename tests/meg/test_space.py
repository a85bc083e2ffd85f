import numpy as np
import polars as pl
import pytest
import torch

from kg.graph.tables import write_concepts
from kg.shared.command import main
from kg.store import EmbeddingStore, write_store
from meg.config import MapperConfig
from meg.model.checkpoint import build, load_mapper, save
from meg.model.record import Record
from meg.space import SpaceCommand, _chosen, space


def concepts(count=40, types=("disease", "gene")):
    return pl.DataFrame(
        {
            "cui": [f"C{i:02}" for i in range(count)],
            "name": [f"name {i}" for i in range(count)],
            "synonyms": [[]] * count,
            "semantic_types": [[types[i % len(types)]] for i in range(count)],
            "definition": [None] * count,
        },
        schema_overrides={"synonyms": pl.List(pl.String), "definition": pl.String},
    )


def rng():
    return np.random.default_rng(0)


def two_clouds(chosen):
    """Vectors in which the types are far apart."""
    side = (chosen["type"] == "gene").to_numpy()[:, None] * 20.0
    return rng().normal(size=(len(chosen), 6)) + side * np.array([1, -1, 1, -1, 1, -1])


class TestSpace:
    def test_tells_apart_types_from_mixed_ones(self):
        chosen = _chosen(concepts(), rng())
        mixed = rng().normal(size=(len(chosen), 6))
        found = space(chosen, mixed, two_clouds(chosen), rng())
        assert found["measures"]["before"]["silhouette"] < 0.3
        assert found["measures"]["after"]["silhouette"] > 0.7
        assert found["measures"]["after"]["nearest_of_own_type"] == 1

    def test_neighbours_are_the_nearest_by_cosine(self):
        chosen = _chosen(concepts(), rng())
        vectors = two_clouds(chosen)
        found = space(chosen, vectors, vectors, rng())
        for row in found["nearest"]:
            assert row["before"] == row["after"]
            own = chosen["name"].to_list().index(row["concept"])
            centred = torch.from_numpy(vectors - vectors.mean(0))
            cosines = torch.cosine_similarity(centred[own][None], centred)
            cosines[own] = -2
            assert row["before"][0] == chosen["name"][int(cosines.argmax())]

    def test_the_same_seed_gives_the_same_map(self):
        chosen = _chosen(concepts(), rng())
        vectors = two_clouds(chosen)
        one, two = (space(chosen, vectors, vectors, rng()) for _ in range(2))
        assert one == two

    def test_without_types_any_concepts_are_drawn(self):
        untyped = concepts().with_columns(semantic_types=pl.lit([], pl.List(pl.String)))
        chosen = _chosen(untyped, rng())
        vectors = rng().normal(size=(len(chosen), 6))
        found = space(chosen, vectors, vectors, rng())
        assert found["types"] == ["any"] * len(untyped)
        assert found["measures"] == {}
        assert found["nearest"]

    def test_concepts_of_several_types_are_neighbours_only(self):
        table = concepts().with_columns(
            semantic_types=pl.when(pl.col("cui") == "C00")
            .then(pl.lit(["disease", "gene"]))
            .otherwise("semantic_types")
        )
        chosen = _chosen(table, rng())
        assert chosen.filter(cui="C00")["type"].to_list() == [None]
        assert len(chosen) == len(table)


@pytest.mark.parametrize(
    "mapper",
    [
        MapperConfig(kind="linear", normalise=True),
        MapperConfig(kind="mlp", layers=6, width=8, normalise=False),
        MapperConfig(kind="transformer", layers=1, width=8),
    ],
)
def test_reads_the_mapper_of_a_checkpoint(model_config, tmp_path, mapper):
    table = concepts()
    write_concepts(tmp_path / "concepts.parquet", table)
    vectors = rng().normal(size=(len(table), 6)).astype(np.float32)
    write_store(tmp_path / "embeddings.h5", table["cui"], vectors, {}, {})
    model = model_config.model_copy(update={"mapper": mapper})
    network, _ = build(model, 6)
    space = EmbeddingStore(tmp_path / "embeddings.h5").space
    save(tmp_path / "m", network, Record(model=model, kge=6, store=space))
    x = torch.from_numpy(vectors)
    assert torch.equal(load_mapper(tmp_path / "m")(x), network.mapper.cpu()(x))
    names = {"checkpoint": "m", "store": "embeddings.h5", "concepts": "concepts.parquet"}
    arguments = [f"--{name}={tmp_path / file}" for name, file in names.items()]
    main(SpaceCommand, [*arguments, f"--out={tmp_path / 'space.json'}"])
    assert (tmp_path / "space.json").is_file()
