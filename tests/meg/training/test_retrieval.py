import numpy as np
import pytest
import torch

from kg.shared.errors import InputError
from meg.align import align, examples_of
from meg.config import AlignConfig, TrainingConfig
from meg.training.retrieval import NameRetrieval

NAMES = [(f"C{i:02}", f"{'abcdefghij'[i % 10]}{i} pain") for i in range(20)]


@pytest.fixture
def retrieval(reader):
    return NameRetrieval(reader, NAMES)


def test_vectors_that_are_the_names_are_all_found(retrieval):
    retrieval.mapper.forward = lambda _: retrieval.names + retrieval.mapper.mean
    assert retrieval() == {"top1": 1.0, "top10": 1.0}


def test_vectors_that_are_no_numbers_find_nothing(retrieval):
    retrieval.mapper.forward = lambda _: retrieval.names * torch.nan
    assert retrieval() == {"top1": 0.0, "top10": 0.0}


def test_a_mapper_that_breaks_while_it_trains_alone_stops(reader, model_config, tmp_path):
    config = AlignConfig(name=False, mapper_steps=20, mapper_learning_rate=float("inf"))
    with pytest.raises(InputError, match=r"loss is (nan|inf) at step \d+ without the LLM"):
        align(reader, NAMES, model_config, config, tmp_path, 0)


def test_more_names_a_prompt_than_there_are_concepts_are_all(network_and_tokens):
    config, generator = AlignConfig(names_per_prompt=10), np.random.default_rng(0)
    made = examples_of(NAMES[:3], network_and_tokens[1], config, generator)
    assert {len(example.cuis) for example in made} <= {1, 2, 3}
    assert len(examples_of(NAMES[:1], network_and_tokens[1], config, generator)) == 1


def test_equals_a_loop(retrieval):
    mapped = retrieval.mapper(retrieval.concepts) - retrieval.mapper.mean
    found = []
    for own, vector in enumerate(mapped):
        cosines = torch.cosine_similarity(vector[None], retrieval.names)
        found.append(int((cosines > cosines[own] + 1e-6).sum()))
    expected = {f"top{k}": sum(rank < k for rank in found) / len(found) for k in (1, 10)}
    assert retrieval() == pytest.approx(expected, abs=1e-4)


def test_is_logged_while_both_parts_of_phase_1_train(reader, model_config, tmp_path):
    once = TrainingConfig(epochs=1, batch_size=4, micro_batch_size=4, report_to=[])
    config = AlignConfig(training=once, mapper_steps=2)
    history, _ = align(reader, NAMES, model_config, config, tmp_path, 0)
    steps = [row for row in history if "loss" in row]
    assert {row.get("stage") for row in steps} == {"mapper", None}
    assert all(0 <= row["top1"] <= row["top10"] <= 1 for row in steps)


def test_the_parts_of_the_loss_are_means_like_the_loss(reader, model_config, tmp_path):
    once = TrainingConfig(epochs=3, batch_size=4, micro_batch_size=2, report_to=[])
    config = AlignConfig(training=once)
    history, _ = align(reader, NAMES, model_config, config, tmp_path, 0)
    steps = [row for row in history if "loss" in row]
    assert len(steps) > 2
    for row in steps:
        parts = sum(value for name, value in row.items() if name.startswith("loss_"))
        assert parts == pytest.approx(row["loss"], abs=1e-3)
