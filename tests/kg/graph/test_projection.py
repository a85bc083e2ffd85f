"""Standardising, compressing, and the form of a stored vector."""

import pytest
import torch

from kg.graph.projection import Principal, Standard, unit_half
from kg.shared.errors import InputError

VECTORS = torch.randn(9, 6, generator=torch.Generator().manual_seed(0))


def test_a_constant_feature_is_zero():
    x = torch.tensor([[1.0, 5.0], [3.0, 5.0]])
    standard = Standard.of(x)(x)
    assert standard[:, 1].tolist() == [0, 0]
    assert standard[:, 0].tolist() == pytest.approx([-(0.5**0.5), 0.5**0.5])


def test_the_first_axis_varies_most_and_all_axes_lose_nothing():
    coordinates = Principal.of(VECTORS, 6)(VECTORS)
    spread = coordinates.var(0)
    assert spread.tolist() == sorted(spread.tolist(), reverse=True)
    centred = VECTORS - VECTORS.mean(0)
    torch.testing.assert_close(coordinates @ coordinates.T, centred @ centred.T)
    torch.testing.assert_close(Principal.of(VECTORS, 2)(VECTORS), coordinates[:, :2])


def test_more_columns_than_there_are():
    with pytest.raises(InputError, match="6 numbers cannot be compressed to 7"):
        Principal.of(VECTORS, 7)


def test_a_node_without_edges_is_stored_by_its_encoded_part():
    vectors = unit_half(VECTORS[:, :4], torch.eye(9)[:, :3]).float()
    assert vectors.shape == (9, 7)
    assert not vectors[5, 4:].any()
    assert vectors[5, :4].norm() == pytest.approx(1, abs=1e-2)
