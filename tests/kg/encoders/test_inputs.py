"""What nodes tell their neighbours before training."""

import torch

from kg.encoders.inputs import node_features

TEXT = torch.randn(20, 6, generator=torch.Generator().manual_seed(0))
SPECTRAL = torch.randn(20, 4, generator=torch.Generator().manual_seed(1))


def test_a_message_is_components_of_the_text_and_the_spectral_embedding():
    features = node_features(TEXT, SPECTRAL)
    assert torch.equal(features.own, TEXT)
    components, spectral = features.sent.split([4, 4], dim=1)
    torch.testing.assert_close(spectral, (SPECTRAL - SPECTRAL.mean(0)) / SPECTRAL.std(0))
    products = components.T @ components
    assert (products - products.diag().diag()).abs().max() < 1e-3 * products.max()
    torch.testing.assert_close(components.std(), torch.tensor(1.0))


def test_features_that_are_all_alike_are_finite():
    assert node_features(torch.zeros(20, 6), SPECTRAL).sent.isfinite().all()


def test_without_a_spectral_embedding_it_is_the_text():
    assert torch.equal(node_features(TEXT, SPECTRAL[:, :0]).sent, TEXT)
