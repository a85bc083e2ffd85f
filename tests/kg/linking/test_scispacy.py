"""The adapter around scispaCy's entities; the package itself is optional."""

from types import SimpleNamespace

import pytest

from kg.linking.scispacy import ScispacyLinker, load_scispacy
from kg.shared.errors import InputError


def entity(start, end, *kb_ents):
    return SimpleNamespace(start_char=start, end_char=end, _=SimpleNamespace(kb_ents=kb_ents))


class TestAdapter:
    def test_known_cuis_are_kept_best_first(self):
        entities = [
            entity(9, 12, ("C1", 0.91), ("C9", 0.99), ("C2", 1.0000001)),
            entity(0, 4, ("C1", 0.95)),
            entity(5, 8, ("C9", 0.99)),
        ]
        linker = ScispacyLinker(lambda text: SimpleNamespace(ents=entities), {"C1", "C2"})
        mentions = linker.link("text")
        assert [(m.start, m.end) for m in mentions] == [(0, 4), (9, 12)]
        assert [(c.cui, c.score) for c in mentions[1].candidates] == [("C2", 1.0), ("C1", 0.91)]

    def test_missing_package_or_model_says_what_to_do(self):
        with pytest.raises(InputError, match="leave --scispacy away"):
            load_scispacy("no_such_model", set())
