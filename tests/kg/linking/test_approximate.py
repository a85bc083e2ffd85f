"""Names that are nearly a dictionary's."""

import math
from collections import Counter

import pytest

from kg.config import LinkConfig
from kg.graph.tables import write_concepts
from kg.link import Link
from kg.linking.approximate import Approximate
from kg.linking.linker import Linker
from kg.shared.command import main
from kg.shared.errors import InputError
from tests.kg.linking.test_linker import table

NAMES = ["cystic fibrosis", "muscular dystrophy", "dystonia", "hypertensive disorder", "gout"]
ROWS = [(f"C000000{i}", name.capitalize(), []) for i, name in enumerate(NAMES)]


@pytest.fixture
def built(tmp_path):
    write_concepts(tmp_path / "concepts.parquet", table(ROWS))

    def build(**config):
        folder = tmp_path / f"linker{len(list(tmp_path.iterdir()))}"
        values = LinkConfig(**config).model_dump_json()
        files = ["--concepts", str(tmp_path / "concepts.parquet"), "--out", str(folder)]
        main(Link, ["build", *files, "--config", values])
        return folder

    return build


def trigrams(text):
    words = [f" {word} " for word in text.split()]
    return Counter(word[i : i + 3] for word in words for i in range(len(word) - 2))


def cosine(text, name):
    """By the book: counts times log((1 + names) / (1 + names that have it))."""
    held = Counter(gram for one in NAMES for gram in set(trigrams(one)))

    def vector(one):
        weights = {gram: math.log((1 + len(NAMES)) / (1 + held[gram])) for gram in trigrams(one)}
        return {gram: count * weights[gram] for gram, count in trigrams(one).items()}

    left, right = vector(text), vector(name)
    lengths = (math.sqrt(sum(v * v for v in one.values())) for one in (left, right))
    return sum(left[gram] * right.get(gram, 0) for gram in left) / math.prod(lengths)


class TestCosine:
    @pytest.mark.parametrize("text", ["muscular dystrophies", "hypertension", "cystic", "gouty"])
    def test_equals_a_plain_loop(self, text):
        [best] = Approximate.of(NAMES).near([text], (), 0.01)
        expected = max(NAMES, key=lambda name: cosine(text, name))
        assert NAMES[best.name] == expected
        assert best.cosine == pytest.approx(cosine(text, expected), abs=1e-5)

    def test_of_a_name_itself_is_1(self):
        for name in NAMES[:4]:
            [best] = Approximate.of(NAMES).near(name.split(), (), 0.9)
            assert (NAMES[best.name], best.cosine) == (name, pytest.approx(1, abs=1e-5))

    def test_places_do_not_overlap_nor_touch_what_is_taken(self):
        words = ["a", "cystic", "fibrosis", "or", "muscular", "dystrophy"]
        found = Approximate.of(NAMES).near(words, {4}, 0.3)
        assert [(one.first, one.last) for one in found] == [(1, 3), (5, 6)]


class TestLinked:
    TEXT = "Muscular dystrophies of Duchenne; hypertensive disorders NOS; a hypertensive crisis."

    def shown(self, linker):
        return {self.TEXT[m.start : m.end]: m.candidates[0] for m in linker.link(self.TEXT)}

    def test_takes_what_is_nearly_a_name(self, built):
        exact, near = (self.shown(Linker.load(built(approximate=x))) for x in (1, 0.5))
        # Plurals are folded, so they are found anyway, and are sure.
        assert set(exact) == {"Muscular dystrophies", "hypertensive disorders"}
        assert near.keys() - exact.keys() == {"hypertensive"}
        assert near["hypertensive"].cui == "C0000003"
        assert 0 < near["hypertensive"].score < exact["hypertensive disorders"].score
        starts = [m.start for m in Linker.load(built(approximate=0.5)).link(self.TEXT)]
        assert starts == sorted(starts)

    def test_but_not_where_the_name_is_unlikely(self, built):
        assert len(self.shown(Linker.load(built(approximate=0.5, min_link=0.6)))) == 0

    def test_a_folder_without_the_trigrams_is_an_error(self, built):
        folder = built(approximate=0.5)
        (folder / "trigrams.npz").write_bytes(b"half")
        with pytest.raises(InputError, match=r"trigrams\.npz .*build the linker again"):
            Linker.load(folder)
