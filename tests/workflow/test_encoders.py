"""All graph encoders in one configuration: what is trained, and what the LLM makes of each."""

import pytest
import yaml

from kg.config import ENCODERS
from tests.workflow.conftest import ROOT, Snakemake
from tests.workflow.test_dag import jobs


@pytest.mark.parametrize("name", ["demo", "smoke"])
def test_every_encoder_is_configured_under_its_own_name(name: str) -> None:
    sections = yaml.safe_load((ROOT / f"config/{name}.yaml").read_text())["encoders"]
    assert sorted(sections) == sorted(ENCODERS)
    assert all(section["encoder"] == key for key, section in sections.items())


@pytest.mark.parametrize("name", ["demo", "smoke"])
def test_the_llm_by_every_encoder(snakemake: Snakemake, name: str) -> None:
    files = (f"config/{name}.yaml", "config/ablations.yaml", "config/encoders.yaml")
    counts = jobs(snakemake("-n", "ablations", "--configfile", *files))
    assert counts["train_encoder"] == counts["align"] == len(ENCODERS)
    assert counts["finetune"] == len(ENCODERS) + 1  # text_only
