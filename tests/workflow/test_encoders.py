"""All graph encoders in one configuration: what is trained, and what the LLM makes of each."""

import pytest

from kg.config import ENCODERS
from tests.workflow.conftest import Snakemake
from tests.workflow.test_config import shipped
from tests.workflow.test_dag import jobs
from workflow.config import load_config


@pytest.mark.parametrize("name", ["demo", "smoke"])
def test_every_encoder_is_configured_under_its_own_name(name: str) -> None:
    sections = load_config(shipped(name)).encoders
    assert {key: section.encoder for key, section in sections.items()} == {k: k for k in ENCODERS}


@pytest.mark.parametrize("name", ["demo", "smoke"])
def test_the_llm_by_every_encoder(snakemake: Snakemake, name: str) -> None:
    files = (f"config/{name}.yaml", "config/ablations.yaml", "config/encoders.yaml")
    counts = jobs(snakemake("-n", "ablations", "--configfile", *files))
    assert counts["train_encoder"] == counts["align"] == len(ENCODERS)
    assert counts["finetune"] == len(ENCODERS) + 1  # text_only
