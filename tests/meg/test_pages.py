"""The Python of README, run as it stands on a small random model."""

import re
from pathlib import Path

import torch

from meg import MEG

README = Path(__file__).parents[2] / "README.md"
PYTHON = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def test_asks_a_model(model_config, graph, tmp_path, monkeypatch):
    torch.manual_seed(0)
    made = MEG.from_base(model_config.base, graph / "sage" / "embeddings.h5", model_config)
    made.save_pretrained(tmp_path / "results/models/hpoquiz_smollm_options")
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    exec(PYTHON.findall(README.read_text())[0], names)
    assert names["answer"].text in {"Arachnodactyly", "Deafness"}
    assert [used.cui for used in names["answer"].concepts] == ["C02"]
