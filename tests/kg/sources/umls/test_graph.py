"""A Metathesaurus of a few rows becomes the concepts and triplets that its rows mean."""

import gzip
import re
import tempfile
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import rrf_plain
from benchmarks.rrf_folder import write_rrf_folder
from kg.config import UMLSConfig
from kg.graph.tables import normalise_concepts, normalise_triplets, read_concepts, read_triplets
from kg.shared.artefact import read_json
from kg.shared.command import main
from kg.shared.errors import InputError
from kg.sources.numbered import check_room
from kg.sources.umls.graph import build
from kg.sources.umls.relations import inverse_relations, kept_direction
from kg.umls import UMLSCommand
from tests.kg.sources.umls.rrf_folder import atom, relation, write_folder

MESNA, CYSTITIS, BLADDER, PAIN = "C0000294", "C0010692", "C0005682", "C0030193"
ATOMS = [
    atom(MESNA, "Mesna"),
    atom(CYSTITIS, "Cystitis"),
    atom(BLADDER, "Urinary Bladder"),
    atom(PAIN, "Pain"),
]
INVERSES = [
    {"DOCKEY": "RELA", "VALUE": "may_treat", "TYPE": "rela_inverse", "EXPL": "may_be_treated_by"},
    {"DOCKEY": "RELA", "VALUE": "ends", "TYPE": "rela_inverse", "EXPL": "begins"},
    {"DOCKEY": "RELA", "VALUE": "near", "TYPE": "rela_inverse", "EXPL": "near"},
    {"DOCKEY": "REL", "VALUE": "PAR", "TYPE": "rel_inverse", "EXPL": "CHD"},
    {"DOCKEY": "REL", "VALUE": "RO", "TYPE": "rel_inverse", "EXPL": "RO"},
]


def _concepts(folder: Path, **config) -> dict[str, dict]:
    """Concepts by cui of a folder that may have no relations."""
    if not (folder / "MRREL.RRF").exists():
        write_folder(folder, MRREL=[])
    concepts, _, _ = build(folder, UMLSConfig(**config))
    return {row["cui"]: row for row in concepts.to_dicts()}


def _triplets(folder: Path, rows: list[dict], **config) -> list[tuple]:
    write_folder(folder, MRCONSO=ATOMS, MRREL=rows, MRDOC=INVERSES)
    return build(folder, UMLSConfig(**config))[1].rows()


class TestDirection:
    def test_a_row_says_what_its_second_concept_is_to_its_first(self, tmp_path):
        rows = [relation(CYSTITIS, "RO", MESNA, "may_treat")]
        assert _triplets(tmp_path, rows) == [(MESNA, "may_treat", CYSTITIS, "MSH")]

    def test_the_inverse_row_is_the_same_fact(self, tmp_path):
        rows = [
            relation(CYSTITIS, "RO", MESNA, "may_treat"),
            relation(MESNA, "RO", CYSTITIS, "may_be_treated_by"),
        ]
        assert _triplets(tmp_path, rows) == [(MESNA, "may_treat", CYSTITIS, "MSH")]

    def test_the_inverse_row_alone_is_turned_round(self, tmp_path):
        rows = [relation(MESNA, "RO", CYSTITIS, "may_be_treated_by")]
        assert _triplets(tmp_path, rows) == [(MESNA, "may_treat", CYSTITIS, "MSH")]

    def test_relations_without_a_name_go_by_their_kind(self, tmp_path):
        # PAIN is the parent of CYSTITIS: CYSTITIS is its child.
        rows = [relation(CYSTITIS, "PAR", PAIN), relation(PAIN, "CHD", CYSTITIS)]
        assert _triplets(tmp_path, rows) == [(CYSTITIS, "CHD", PAIN, "MSH")]

    def test_a_symmetric_relation_is_one_fact(self, tmp_path):
        rows = [relation(PAIN, "RO", MESNA, "near"), relation(MESNA, "RO", PAIN, "near")]
        assert _triplets(tmp_path, rows) == [(MESNA, "near", PAIN, "MSH")]

    def test_a_fact_and_its_opposite_stay_two(self, tmp_path):
        rows = [relation(PAIN, "RO", MESNA, "ends"), relation(MESNA, "RO", PAIN, "ends")]
        assert _triplets(tmp_path, rows) == [
            (MESNA, "ends", PAIN, "MSH"),
            (PAIN, "ends", MESNA, "MSH"),
        ]

    def test_of_two_relations_with_one_inverse_it_turns_to_its_own(self, tmp_path):
        """MRDOC gives treated_by the inverse treats; heals has it for its inverse too."""
        pairs = [("treats", "treated_by"), ("treated_by", "treats"), ("heals", "treated_by")]
        inverses = [
            {"DOCKEY": "RELA", "VALUE": value, "TYPE": "rela_inverse", "EXPL": other}
            for value, other in pairs
        ]
        rows = [
            relation(CYSTITIS, "RO", MESNA, "treats"),
            relation(MESNA, "RO", CYSTITIS, "treated_by"),
            relation(PAIN, "RO", MESNA, "heals"),
        ]
        write_folder(tmp_path, MRCONSO=ATOMS, MRREL=rows, MRDOC=inverses)
        assert build(tmp_path, UMLSConfig())[1].rows() == [
            (MESNA, "heals", PAIN, "MSH"),
            (MESNA, "treats", CYSTITIS, "MSH"),
        ]

    def test_the_shorter_name_is_kept_else_the_first(self):
        assert kept_direction("inverse_isa", "isa") == "isa"
        assert kept_direction("PAR", "CHD") == kept_direction("CHD", "PAR") == "CHD"

    def test_without_mrdoc_names_tell_inverses(self, tmp_path):
        names = ["isa", "inverse_isa", "has_part", "part_of", "treated", "treated_by", "PAR"]
        inverse = inverse_relations(tmp_path, names)
        assert inverse["isa"] == "inverse_isa"
        assert inverse["part_of"] == "has_part"
        assert inverse["treated_by"] == "treated"
        assert inverse["CHD"] == "PAR"
        assert inverse["SIB"] == "SIB"
        assert "unknown" not in inverse


class TestChoiceOfRelations:
    ROWS = (
        relation(CYSTITIS, "RO", MESNA, "may_treat"),
        relation(CYSTITIS, "RO", MESNA, "may_treat", SAB="NCI"),
        relation(PAIN, "RO", MESNA, "may_treat", SUPPRESS="O"),
        relation(PAIN, "SIB", CYSTITIS),
        relation(PAIN, "QB", CYSTITIS),
        relation(PAIN, "RB", PAIN),
        relation(PAIN, "CHD", PAIN),
        relation("C9999999", "RB", PAIN),
        relation("nothing", "RB", PAIN),
        relation(MESNA.replace("C000", "C"), "RB", PAIN),
        relation("C99999999", "RB", PAIN),
    )

    def test_sources_of_a_fact_are_merged(self, tmp_path):
        assert _triplets(tmp_path, list(self.ROWS)) == [(MESNA, "may_treat", CYSTITIS, "MSH|NCI")]

    def test_every_dropped_row_has_its_reason(self, tmp_path):
        write_folder(tmp_path, MRCONSO=ATOMS, MRREL=list(self.ROWS), MRDOC=INVERSES)
        rows = build(tmp_path, UMLSConfig())[2]["MRREL.RRF"]
        assert rows == {
            "read": 11,
            "dropped": {
                "inside one concept": 2,
                "kind QB": 1,
                "kind SIB": 1,
                "suppressed": 1,
                "no concept at an end": 4,
                "same fact": 1,
            },
            "kept": 1,
        }

    @pytest.mark.parametrize(
        ("config", "kept"),
        [
            ({"sources": ["MSH"]}, [(MESNA, "may_treat", CYSTITIS, "MSH")]),
            ({"relation_kinds": ["SIB"]}, [(CYSTITIS, "SIB", PAIN, "MSH")]),
            ({"inside_concept": True, "relations": ["RB"]}, [(PAIN, "RB", PAIN, "MSH")]),
            ({"inside_concept": True, "relations": ["CHD"]}, []),
            ({"relations": ["RB"]}, []),
        ],
    )
    def test_by_config(self, tmp_path, config, kept):
        assert _triplets(tmp_path, list(self.ROWS), **config) == kept

    def test_suppressed_rows_by_config(self, tmp_path):
        assert (MESNA, "may_treat", PAIN, "MSH") in _triplets(
            tmp_path, list(self.ROWS), suppressed=True
        )

    def test_a_relation_may_be_named_in_either_direction(self, tmp_path):
        rows = [
            relation(CYSTITIS, "RO", MESNA, "may_treat"),
            relation(MESNA, "RO", PAIN, "may_be_treated_by"),
            relation(MESNA, "RB", PAIN),
        ]
        assert len(_triplets(tmp_path, rows, relations=["may_be_treated_by"])) == 2

    def test_a_source_may_have_names_only(self, tmp_path):
        """MSH and CHV are in MRCONSO, MSH alone in MRREL."""
        atoms = [*ATOMS, ATOMS[0] | {"SAB": "CHV"}]
        write_folder(tmp_path, MRCONSO=atoms, MRREL=[relation(CYSTITIS, "RO", MESNA, "may_treat")])
        config = UMLSConfig(sources=["MSH", "CHV"])
        assert build(tmp_path, config)[1].height == 1

    @pytest.mark.parametrize(
        ("config", "known"),
        [
            ({"sources": ["MESH"]}, "known: MSH"),
            ({"relation_kinds": ["ISA"]}, "known: AQ, CHD, DEL, PAR"),
            ({"relations": ["treats"]}, "known: RO, may_treat"),
            ({"term_types": ["XX"]}, "known: PT"),
            ({"languages": ["GER"]}, "known: ENG"),
        ],
    )
    def test_unknown_values_are_refused_with_the_known_ones(self, tmp_path, config, known):
        rows = [relation(CYSTITIS, "RO", MESNA, "may_treat"), relation(CYSTITIS, "RO", MESNA)]
        with pytest.raises(InputError, match=known):
            _triplets(tmp_path, rows, **config)


class TestNames:
    def test_the_release_ranks_sources_and_term_types(self, tmp_path):
        ranks = [
            {"RANK": "0100", "SAB": "MSH", "TTY": "PT", "SUPPRESS": "N"},
            {"RANK": "0200", "SAB": "NCI", "TTY": "PT", "SUPPRESS": "N"},
        ]
        atoms = [atom(PAIN, "Pain"), atom(PAIN, "Ache", SAB="NCI", TS="S")]
        write_folder(tmp_path, MRCONSO=atoms, MRRANK=ranks)
        assert _concepts(tmp_path)[PAIN]["name"] == "Ache"

    def test_without_ranks_the_flags_decide(self, tmp_path):
        atoms = [
            atom(PAIN, "A", TS="S"),
            atom(PAIN, "B", STT="VO"),
            atom(PAIN, "D"),
            atom(PAIN, "C", ISPREF="N"),
        ]
        write_folder(tmp_path, MRCONSO=atoms)
        concept = _concepts(tmp_path)[PAIN]
        assert (concept["name"], concept["synonyms"]) == ("D", ["C", "B", "A"])

    def test_a_concept_with_only_suppressed_names_keeps_the_best(self, tmp_path):
        atoms = [
            atom(PAIN, "Old pain", SUPPRESS="O"),
            atom(PAIN, "Older pain", SUPPRESS="O", TS="S"),
            atom(MESNA, "Mesna", TS="S"),
            atom(MESNA, "Old mesna", SUPPRESS="O"),
        ]
        write_folder(tmp_path, MRCONSO=atoms, MRREL=[])
        concepts, _, files = build(tmp_path, UMLSConfig())
        assert concepts["name"].to_list() == ["Mesna", "Old pain"]
        assert concepts["synonyms"].to_list() == [[], []]
        assert files["MRCONSO.RRF"] == {
            "read": 4,
            "dropped": {"suppressed": 2},
            "kept": 2,
            "names_only_suppressed": 1,
        }

    def test_a_blank_name_gives_way_to_the_next(self, tmp_path):
        atoms = [atom(PAIN, " "), atom(PAIN, "Ache", TS="S"), atom(PAIN, "Pain", TS="S", STT="VO")]
        write_folder(tmp_path, MRCONSO=[*atoms, atom(MESNA, "")], MRREL=[])
        concepts, _, files = build(tmp_path, UMLSConfig())
        assert normalise_concepts(concepts)["name"].to_list() == ["Ache"]
        assert concepts["synonyms"].to_list() == [["Pain"]]
        assert files["MRCONSO.RRF"]["dropped"] == {"blank name": 2}
        assert files["concepts"]["read"] == 1

    def test_languages_in_the_order_of_the_config(self, tmp_path):
        atoms = [atom(PAIN, "Pain"), atom(PAIN, "Dolor", LAT="SPA"), atom(MESNA, "M", LAT="SPA")]
        write_folder(tmp_path, MRCONSO=atoms)
        assert _concepts(tmp_path).keys() == {PAIN}
        both = _concepts(tmp_path, languages=["SPA", "ENG"])
        assert (both[PAIN]["name"], both[PAIN]["synonyms"]) == ("Dolor", ["Pain"])

    def test_equal_names_are_one(self, tmp_path):
        write_folder(tmp_path, MRCONSO=[atom(PAIN, "Pain"), atom(PAIN, "Pain", SAB="NCI")])
        assert _concepts(tmp_path)[PAIN]["synonyms"] == []

    @settings(max_examples=25, deadline=None)
    @given(
        st.dictionaries(
            st.integers(0, 9_999_999).map("C{:07}".format),
            st.lists(
                st.text(
                    st.characters(codec="utf-8", exclude_characters="|\n\r"), min_size=1
                ).filter(str.strip),
                min_size=1,
                max_size=4,
                unique=True,
            ),
            min_size=1,
            max_size=5,
        )
    )
    def test_any_names_come_back(self, names):
        rows = [
            atom(cui, name, TS="P" if i == 0 else "S")
            for cui, all_names in names.items()
            for i, name in enumerate(all_names)
        ]
        with tempfile.TemporaryDirectory() as folder:
            concepts = _concepts(write_folder(Path(folder), MRCONSO=rows))
        assert {c: r["name"] for c, r in concepts.items()} == {c: n[0] for c, n in names.items()}
        assert {c: set(r["synonyms"]) for c, r in concepts.items()} == {
            c: set(n[1:]) for c, n in names.items()
        }

    def test_a_row_without_an_id_is_refused(self, tmp_path):
        write_folder(tmp_path, MRCONSO=[*ATOMS, atom(" ", "Pain")])
        with pytest.raises(InputError, match="MRCONSO has 1 blank concept ids"):
            _concepts(tmp_path)


class TestIds:
    """Any string is a concept's id, the NCI's CL999999 or one that is nearly a CUI."""

    @pytest.mark.parametrize("other", ["CL999999", "C12345678", "C+123456", "A1", "c0000001", "日"])
    def test_everything_of_a_concept_of_any_id(self, tmp_path, other):
        types = [{"CUI": other, "TUI": "T184", "STY": "Sign or Symptom"}]
        definitions = [{"CUI": other, "SAB": "MSH", "DEF": "A sign.", "SUPPRESS": "N"}]
        atoms = [atom("C0123456", "Mesna"), atom(other, "Ache", TS="S"), atom(other, "Pain")]
        rows = [relation(other, "RO", "C0123456", "may_treat"), relation("CL1", "RB", other)]
        write_folder(tmp_path, MRCONSO=atoms, MRREL=rows, MRSTY=types, MRDEF=definitions)
        concepts, triplets, files = build(tmp_path, UMLSConfig())
        assert concepts.filter(cui=other).rows() == [
            (other, "Pain", ["Ache"], ["Sign or Symptom"], "A sign.")
        ]
        assert triplets.rows() == [("C0123456", "may_treat", other, "MSH")]
        assert files["MRREL.RRF"]["dropped"] == {"no concept at an end": 1}

    def test_a_folder_renamed_to_mixed_ids_is_the_same_graph(self, tmp_path):
        """Every third id becomes one of another form, in an order of its own."""
        folder = write_rrf_folder(tmp_path / "META", concepts=100)
        cuis = build(folder, UMLSConfig())[0]["cui"]
        names = {cui: f"{'ZAC'[i % 9 // 3]}L{cui[1:]}" for i, cui in enumerate(cuis) if i % 3 == 0}
        for path in folder.iterdir():
            text = re.sub(r"C\d{7}", lambda m: names.get(m[0], m[0]), path.read_text("utf-8"))
            path.write_text(text, "utf-8")
        for ours, theirs in zip(build(folder, UMLSConfig()), rrf_plain.build(folder), strict=False):
            assert ours.equals(theirs)


EVERYTHING = {
    "sources": ["MSH", "NCI"],
    "languages": ["ENG", "SPA"],
    "term_types": ["PT", "SY"],
    "relation_kinds": ["RO", "SIB", "QB"],
    "relations": ["RO", "SIB", "QB"],
    "semantic_types": ["T184"],
    "definition_sources": ["NCI"],
}
"""Every list of the config, with all that the folder of the tests below has."""


class TestEmptyLists:
    """They mean all: as if every value of the folder were named."""

    def test_every_list_is_here(self):
        fields = UMLSConfig.model_fields.items()
        assert EVERYTHING.keys() == {k for k, f in fields if f.annotation == tuple[str, ...]}

    @pytest.mark.parametrize("key", EVERYTHING)
    def test_of_one_key(self, tmp_path, key):
        atoms = [*ATOMS, atom(PAIN, "Dolor", LAT="SPA", TTY="SY", SAB="NCI", TS="S")]
        write_folder(
            tmp_path,
            MRCONSO=[*atoms, atom("C0000001", "Fiebre", LAT="SPA")],
            MRREL=[relation(PAIN, rel, MESNA) for rel in EVERYTHING["relations"]],
            MRSTY=[{"CUI": row["CUI"], "TUI": "T184", "STY": "Sign or Symptom"} for row in atoms],
            MRDEF=[{"CUI": PAIN, "SAB": "NCI", "DEF": "A sign.", "SUPPRESS": "N"}],
        )
        of_none, of_all = (
            build(tmp_path, UMLSConfig(**{key: values})) for values in ([], EVERYTHING[key])
        )
        assert of_none[0].equals(of_all[0])
        assert of_none[1].equals(of_all[1])
        assert of_none[2] == of_all[2]
        assert of_all[1].height == (3 if key == "relation_kinds" else 1)


class TestTypesAndDefinitions:
    TYPES = (
        {"CUI": PAIN, "TUI": "T184", "STY": "Sign or Symptom"},
        {"CUI": MESNA, "TUI": "T121", "STY": "Pharmacologic Substance"},
        {"CUI": MESNA, "TUI": "T109", "STY": "Organic Chemical"},
    )

    def test_types_are_sorted_names(self, tmp_path):
        concepts = _concepts(write_folder(tmp_path, MRCONSO=ATOMS, MRSTY=list(self.TYPES)))
        assert concepts[MESNA]["semantic_types"] == ["Organic Chemical", "Pharmacologic Substance"]
        assert concepts[BLADDER]["semantic_types"] == []

    def test_a_type_given_twice_is_one(self, tmp_path):
        concepts = _concepts(write_folder(tmp_path, MRCONSO=ATOMS, MRSTY=list(self.TYPES) * 2))
        assert concepts[MESNA]["semantic_types"] == ["Organic Chemical", "Pharmacologic Substance"]

    @pytest.mark.parametrize("wanted", ["T109", "Organic Chemical"])
    def test_concepts_of_a_type(self, tmp_path, wanted):
        write_folder(tmp_path, MRCONSO=ATOMS, MRSTY=list(self.TYPES))
        concepts = _concepts(tmp_path, semantic_types=[wanted])
        assert concepts.keys() == {MESNA}
        assert len(concepts[MESNA]["semantic_types"]) == 2

    def test_unknown_type(self, tmp_path):
        write_folder(tmp_path, MRCONSO=ATOMS, MRSTY=list(self.TYPES))
        with pytest.raises(InputError, match="known: Organic Chemical, "):
            _concepts(tmp_path, semantic_types=["T999"])

    def test_types_wanted_but_missing(self, tmp_path):
        write_folder(tmp_path, MRCONSO=ATOMS)
        with pytest.raises(InputError, match="neither MRSTY"):
            _concepts(tmp_path, semantic_types=["T109"])

    def test_definition_of_the_preferred_source_in_a_chosen_language(self, tmp_path):
        atoms = [*ATOMS, atom(PAIN, "Dolor", LAT="SPA", SAB="MSHSPA"), atom(PAIN, "P", SAB="NCI")]
        texts = [("MSHSPA", "dolor", "N"), ("NCI", "hurts", "N"), ("MSH", "aches", "O")]
        definitions = [
            {"CUI": PAIN, "SAB": source, "DEF": text, "SUPPRESS": flag}
            for source, text, flag in texts
        ]
        concepts = _concepts(write_folder(tmp_path, MRCONSO=atoms, MRDEF=definitions))
        assert concepts[PAIN]["definition"] == "hurts"
        assert concepts[MESNA]["definition"] is None

    @pytest.mark.parametrize(
        ("order", "first"), [(["NCI", "CSP"], "hurts"), (["CSP", "NCI"], "stings"), ([], "stings")]
    )
    def test_the_source_named_first_defines(self, tmp_path, order, first):
        self._two_definitions(tmp_path)
        assert _concepts(tmp_path, definition_sources=order)[PAIN]["definition"] == first

    def test_an_added_source_has_to_be_there_and_a_default_one_need_not(self, tmp_path):
        self._two_definitions(tmp_path)
        assert _concepts(tmp_path)[PAIN]["definition"] == "hurts"  # MSH defines nothing.
        with pytest.raises(InputError, match=r"definitions \(SAB\) 'MESH'.*known: CSP, NCI"):
            _concepts(tmp_path, definition_sources=["MESH", "NCI"])

    def _two_definitions(self, folder):
        definitions = [
            {"CUI": PAIN, "SAB": source, "DEF": text, "SUPPRESS": "N"}
            for source, text in (("NCI", "hurts"), ("CSP", "stings"))
        ]
        atoms = [atom(PAIN, "P", SAB=source) for source in ("NCI", "CSP")]
        write_folder(folder, MRCONSO=atoms, MRDEF=definitions)


class TestVocabularyAndDegree:
    ROWS = (
        relation(CYSTITIS, "RO", MESNA, "may_treat"),
        relation(CYSTITIS, "RB", PAIN),
        relation(CYSTITIS, "RB", BLADDER),
        relation(PAIN, "RB", MESNA),
    )

    def test_vocabulary_file(self, tmp_path):
        (tmp_path / "vocab.csv").write_text(f"{MESNA}\tMesna\n{PAIN}\n\nC7777777\tx\n")
        write_folder(tmp_path, MRCONSO=ATOMS)
        vocabulary = tmp_path / "vocab.csv"
        assert _concepts(tmp_path, vocabulary=vocabulary).keys() == {MESNA, PAIN}

    def test_nothing_left(self, tmp_path):
        (tmp_path / "vocab.csv").write_text("C7777777\n")
        write_folder(tmp_path, MRCONSO=ATOMS)
        with pytest.raises(InputError, match="no concept is left"):
            _concepts(tmp_path, vocabulary=tmp_path / "vocab.csv")

    def test_missing_vocabulary(self, tmp_path):
        write_folder(tmp_path, MRCONSO=ATOMS)
        with pytest.raises(InputError, match="does not exist"):
            _concepts(tmp_path, vocabulary=tmp_path / "none.csv")

    def test_minimum_degree_drops_once(self, tmp_path):
        write_folder(tmp_path, MRCONSO=[*ATOMS, atom("C0000001", "Lonely")], MRREL=list(self.ROWS))
        concepts, triplets, files = build(tmp_path, UMLSConfig(min_degree=2))
        assert set(concepts["cui"]) == {MESNA, CYSTITIS, PAIN}
        assert triplets.height == 3
        assert files["concepts"]["dropped"] == {"min_degree": 2}
        assert files["MRREL.RRF"]["dropped"] == {"min_degree": 1}

    def test_core_is_what_holds_itself_up(self, tmp_path):
        """A triangle; BLADDER has two triplets as well, until what hangs on it alone is gone."""
        triangle = [relation(PAIN, "RB", CYSTITIS), relation(CYSTITIS, "RB", MESNA)]
        tail = [relation(BLADDER, "RB", PAIN), relation("C0000001", "RB", BLADDER)]
        rows = [*triangle, relation(MESNA, "RB", PAIN), *tail]
        write_folder(tmp_path, MRCONSO=[*ATOMS, atom("C0000001", "Lonely")], MRREL=rows)
        assert set(build(tmp_path, UMLSConfig(min_degree=2))[0]["cui"]) == {
            *(MESNA, CYSTITIS, PAIN, BLADDER)
        }
        concepts, triplets, files = build(tmp_path, UMLSConfig(k_core=2))
        assert set(concepts["cui"]) == {MESNA, CYSTITIS, PAIN}
        assert triplets.height == 3
        assert files["concepts"]["dropped"] == {"k_core": 2}
        assert files["MRREL.RRF"]["dropped"] == {"k_core": 2}

    def test_core_is_dropped_to_until_stable(self, tmp_path):
        chain = [relation(BLADDER, "RB", PAIN), relation(PAIN, "RB", MESNA)]
        write_folder(tmp_path, MRCONSO=ATOMS, MRREL=[*chain, relation(MESNA, "RO", CYSTITIS)])
        assert build(tmp_path, UMLSConfig(min_degree=2))[0].height == 2
        with pytest.raises(InputError, match="k_core 2: none is left"):
            build(tmp_path, UMLSConfig(k_core=2))


class TestFactsAsNumbers:
    def test_more_than_63_bits_are_refused(self):
        check_room(3_000_000, 1000, 1000)
        with pytest.raises(InputError, match="choose fewer"):
            check_room(4_000_000, 1000, 1000)


class TestInventedFolder:
    def test_the_command_writes_tables_in_order_and_a_summary(self, tmp_path):
        folder = write_rrf_folder(tmp_path / "META", concepts=300)
        out = tmp_path / "out"
        main(UMLSCommand, ["--folder", str(folder), "--out", str(out), "--config", "{}"])
        concepts = read_concepts(out / "concepts.parquet")
        triplets = read_triplets(out / "triplets.parquet")
        assert concepts.height == 300
        assert normalise_concepts(concepts).equals(concepts)
        assert normalise_triplets(triplets, concepts).equals(triplets)
        summary = read_json(out / "summary.json")
        assert summary["triplets"] == triplets.height
        for rows in summary["files"].values():
            assert rows["read"] == rows["kept"] + sum(rows["dropped"].values())
        assert summary["files"]["MRREL.RRF"]["read"] == 3600

    def test_plain_python_makes_the_same_tables(self, tmp_path):
        folder = write_rrf_folder(tmp_path / "META", concepts=500, seed=1)
        for ours, theirs in zip(build(folder, UMLSConfig()), rrf_plain.build(folder), strict=False):
            assert ours.equals(theirs)

    def test_the_same_folder_in_another_order_is_the_same_graph(self, tmp_path):
        folder = write_rrf_folder(tmp_path / "META", concepts=100)
        tables = build(folder, UMLSConfig())[:2]
        for name in ("MRCONSO.RRF", "MRREL.RRF", "MRSTY.RRF", "MRDEF.RRF"):
            lines = (folder / name).read_text(encoding="utf-8").splitlines(keepends=True)
            (folder / name).write_text("".join(reversed(lines)), encoding="utf-8")
        again = build(folder, UMLSConfig())[:2]
        for table, other in zip(tables, again, strict=True):
            assert table.equals(other)

    def test_gzip_and_windows_line_ends_are_the_same_graph(self, tmp_path):
        folder = write_rrf_folder(tmp_path / "META", concepts=100)
        tables = build(folder, UMLSConfig())[:2]
        for path in folder.iterdir():
            windows = path.read_bytes().replace(b"\n", b"\r\n")
            (folder / f"{path.name}.gz").write_bytes(gzip.compress(windows))
            path.unlink()
        for table, other in zip(tables, build(folder, UMLSConfig())[:2], strict=True):
            assert table.equals(other)

    def test_no_fact_stands_beside_its_inverse(self, tmp_path):
        folder = write_rrf_folder(tmp_path / "META", concepts=100)
        _, triplets, _ = build(folder, UMLSConfig())
        assert "inverse_isa" not in triplets["relation"]
        assert not triplets.select(
            pl.struct("head", "relation", "tail").is_duplicated().any()
        ).item()
