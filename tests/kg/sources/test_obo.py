"""Terms of OBO files, as the format means them."""

import pytest

from kg.shared.errors import InputError
from kg.sources.obo import Term, read_obo

HEADER = "format-version: 1.2\n\n"


@pytest.fixture
def read(tmp_path):
    def write_and_read(text: str | bytes) -> list[Term]:
        path = tmp_path / "x.obo"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_obo(path).terms

    return write_and_read


def test_modifiers_and_comments_are_part_of_no_value(read):
    (term,) = read(
        HEADER + '[Term]\nid: HP:1 {a="b"} ! the id\nname: Fit {source="x"} ! a note\n'
        'alt_id: HP:9 ! former\nis_a: HP:2 {source="x"} ! Root\nxref: UMLS:C0000001 {a="b"}\n'
    )
    assert term == Term("HP:1", "Fit", parents=["HP:2"], alternatives=["HP:9"], cuis=["C0000001"])


def test_escaped_characters_stand_for_themselves(read):
    (term,) = read(HEADER + "[Term]\nid: A:b\\!c\nname: Fit \\! \\{x\\}\nis_a: D\\ e\n")
    assert (term.id, term.name, term.parents) == ("A:b!c", "Fit ! {x}", ["D e"])


def test_ids_of_any_ontology(read):
    terms = read(
        HEADER + "[Term]\nid: http://x.org/A_1\nname: a\n\n[Term]\nid: b\nname: b\n\n"
        "[Term]\nid: C:d:e\nname: c\n\n[Typedef]\nid: part_of\nname: part of\n"
    )
    assert [term.id for term in terms] == ["http://x.org/A_1", "b", "C:d:e"]


def test_synonyms_with_their_scope(read):
    (term,) = read(
        HEADER + '[Term]\nid: a\nname: a\nsynonym: "b \\"c\\"" EXACT layperson []\n'
        'synonym: "d" NARROW [X:1, Y:2]\n'
    )
    assert term.synonyms == [('b "c"', "EXACT"), ("d", "NARROW")]


def test_what_is_no_cui_is_none(read):
    (term,) = read(HEADER + "[Term]\nid: a\nname: a\nxref: UMLS:0000010\nxref: X:C0000001\n")
    assert term.cuis == []


def test_ids_of_the_nci_are_cuis(read):
    (term,) = read(HEADER + "[Term]\nid: a\nname: a\nxref: UMLS:CL999999\n")
    assert term.cuis == ["CL999999"]


@pytest.mark.parametrize(
    ("end", "line"),
    [
        ("[Term]\n", 7),
        ("[Term]\nid: HP:2", 7),
        ("[Term]\nid: HP:2\nname: Lo", 8),
        ('[Term]\nid: HP:2\nname: b\nsynonym: "c', 9),
        ("[Term]\nid: HP:2\nname: b\nis_a: HP:0", 9),
    ],
)
def test_a_stanza_that_is_cut_off_is_named_by_its_line(read, end, line):
    with pytest.raises(InputError, match=rf"x\.obo line {line} is not OBO: .* truncated"):
        read(HEADER + "[Term]\nid: HP:1\nname: a\n" + end)


def test_another_format(read):
    with pytest.raises(InputError, match=r"x\.obo line 1 is not OBO"):
        read("<?xml version='1.0'?>\n")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "is empty"),
        ("version https://git-lfs.github.com/spec/v1\n", "pointer of Git LFS"),
        (HEADER + "[Typedef]\nid: a\nname: a\n", r"no \[Term\] stanza"),
    ],
)
def test_no_term(read, text, expected):
    with pytest.raises(InputError, match=expected):
        read(text)


def test_bytes_that_are_no_text_are_named_by_their_line(read):
    with pytest.raises(InputError, match=r"x\.obo line 5 is not UTF-8"):
        read(HEADER.encode() + b"[Term]\nid: HP:1\nname: a\xff\nis_a: HP:2\n")
