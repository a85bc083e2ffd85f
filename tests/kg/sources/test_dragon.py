"""DRAGON's files become the two tables."""

from pathlib import Path

import pytest

from kg.dragon import DragonCommand
from kg.graph.tables import read_concepts, read_triplets
from kg.shared.command import main
from kg.shared.errors import InputError
from kg.sources.dragon import read_dragon


def _folder(tmp_path: Path, **changes: str) -> Path:
    files = {
        "concepts.txt": "C2\nC1\nC3\n",
        "concept_names.txt": "C1\tpain\nC2\tache\nC9\tother\n",
        "umls.csv": "isa\tC2\tC1\t1.0\nisa\tC2\tC1\t1.0\nisa\tC1\tC1\t1.0\nisa\tC1\tC3\t1.0\n",
        "relations.txt": "isa\nfinding\n",
    }
    for name, text in {**files, **changes}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_tables_and_what_was_dropped(tmp_path):
    concepts, triplets, files = read_dragon(_folder(tmp_path))
    assert concepts.select("cui", "name").rows() == [("C1", "pain"), ("C2", "ache")]
    assert triplets.rows() == [("C2", "isa", "C1", "DRAGON")]
    assert files == {
        "concepts.txt": {"read": 3, "dropped": {"no name": 1}, "kept": 2},
        "umls.csv": {
            "read": 4,
            "dropped": {"inside one concept": 1, "no concept at an end": 1, "same fact": 1},
            "kept": 1,
        },
    }


def test_space_around_fields_does_not_count(tmp_path):
    changes = {"umls.csv": "isa \tC2\tC1 \t1.0\n", "relations.txt": "isa \n"}
    assert read_dragon(_folder(tmp_path, **changes))[1].rows() == [("C2", "isa", "C1", "DRAGON")]


def test_command(tmp_path):
    main(DragonCommand, ["--folder", str(_folder(tmp_path)), "--out", str(tmp_path / "out")])
    assert read_concepts(tmp_path / "out" / "concepts.parquet").height == 2
    assert read_triplets(tmp_path / "out" / "triplets.parquet").height == 1


def test_a_cut_line_is_named(tmp_path):
    with pytest.raises(InputError, match=r"umls.csv line 2 has 2 columns .* expected relation, s"):
        read_dragon(_folder(tmp_path, **{"umls.csv": "isa\tC1\tC2\t1.0\nisa\tC1"}))


def test_a_line_cut_inside_a_cui_is_named(tmp_path):
    with pytest.raises(InputError, match=r"umls.csv line 2 has 3 columns .* is the file truncated"):
        read_dragon(_folder(tmp_path, **{"umls.csv": "isa\tC1\tC2\t1.0\nisa\tC1\tC"}))


@pytest.mark.parametrize("name", ["concepts.txt", "concept_names.txt", "umls.csv", "relations.txt"])
def test_bytes_that_are_not_utf8(tmp_path, name):
    path = _folder(tmp_path) / name
    path.write_bytes(path.read_bytes() + b"\xff\n")
    with pytest.raises(InputError, match=rf"{name} line \d is not UTF-8"):
        read_dragon(tmp_path)


def test_no_concept_left(tmp_path):
    with pytest.raises(InputError, match=r"no concept of .* has a name"):
        read_dragon(_folder(tmp_path, **{"concepts.txt": "C8\n"}))


def test_a_byte_order_mark_is_no_part_of_a_cui(tmp_path):
    marked = read_dragon(_folder(tmp_path, **{"concepts.txt": "\ufeffC2\nC1\nC3\n"}))
    assert marked[0].height == 2


@pytest.mark.parametrize(
    ("row", "got"),
    [
        ("C2\tisa\tC1\t1.0\n", "a concept, no concept, a concept"),
        ("C2\tC1\tisa\t1.0\n", "a concept, a concept, no concept"),
        ("isa\tX2\tX1\t1.0\n", "no concept, no concept, no concept"),
    ],
)
def test_columns_in_another_order(tmp_path, row, got):
    with pytest.raises(InputError, match=rf"umls.csv: the columns hold {got}; expected relation, "):
        read_dragon(_folder(tmp_path, **{"umls.csv": row * 3}))


def test_no_triplet_left(tmp_path, capsys):
    folder = _folder(tmp_path, **{"umls.csv": "isa\tC1\tC3\t1.0\n"})
    with pytest.raises(SystemExit):
        main(DragonCommand, ["--folder", str(folder), "--out", str(tmp_path / "out")])
    message = capsys.readouterr().err
    assert "of umls.csv nothing is kept" in message
    assert "no concept at an end" in message
    assert not (tmp_path / "out" / "concepts.parquet").exists()


def test_an_unlisted_relation_is_named(tmp_path):
    with pytest.raises(InputError, match="'treats'"):
        read_dragon(_folder(tmp_path, **{"umls.csv": "treats\tC1\tC2\t1.0\n"}))


@pytest.mark.parametrize("name", ["concepts.txt", "concept_names.txt", "umls.csv"])
def test_a_missing_file_is_named(tmp_path, name):
    (_folder(tmp_path) / name).unlink()
    with pytest.raises(InputError, match=f"{name} does not exist"):
        read_dragon(tmp_path)


def test_relations_are_optional(tmp_path):
    (_folder(tmp_path) / "relations.txt").unlink()
    assert read_dragon(tmp_path)[1].height == 1
