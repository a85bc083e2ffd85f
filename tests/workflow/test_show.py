"""What a run's values are, and where each comes from."""

from pathlib import Path

import pytest

from kg.shared.errors import InputError
from workflow.configfiles import read_files
from workflow.show import show

CONFIG = Path(__file__).parents[2] / "config"


@pytest.fixture
def own(tmp_path: Path) -> Path:
    file = tmp_path / "mine.yaml"
    file.write_text("align: {mapper_steps: 7}\nseed: 3\n")
    return file


def rows(text: str) -> dict[str, str]:
    """Layer by section and key."""
    found, section = {}, ""
    for line in filter(None, text.splitlines()):
        if line.startswith("  "):
            key, rest = line.strip().split(": ", 1)
            found[f"{section}.{key}"] = rest.split("  ")[-1].strip()
        else:
            section = line
    return found


class TestShow:
    def test_names_key_and_file_of_each_value(self, own: Path) -> None:
        text = show("pubmedqa_smollm_options", read_files([CONFIG / "demo.yaml", own]))
        layers = rows(text)
        assert layers["encoder.encoder"] == "encoders.edgegraphsage.encoder (config/base.yaml)"
        assert layers["encoder.seed"] == f"seed ({own})"
        assert layers["align.mapper_steps"] == f"align.mapper_steps ({own})"
        assert layers["prompt.style"] == "default"
        assert layers["align.concepts"] == "align.concepts (config/demo.yaml)"
        assert layers["prompt.concepts"] == "variants.options.prompt.concepts (config/base.yaml)"
        assert layers["prompt.answer"] == "datasets.pubmedqa.prompt.answer (config/demo.yaml)"
        assert layers["model.dtype"] == "default"
        assert "  mapper_steps: 7  " in text

    def test_reads_the_published_runs_without_a_file(self) -> None:
        layers = rows(show("medqa_llama", read_files([])))
        assert layers["model.base"] == "models.llama.base (config/published.yaml)"

    def test_unknown_run(self) -> None:
        with pytest.raises(InputError, match=r"medqa_gpt: no run of config/base\.yaml"):
            show("medqa_gpt", read_files([]))


class TestFiles:
    def test_missing_one(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match=r"none.yaml: cannot be read as YAML"):
            read_files([tmp_path / "none.yaml"])

    def test_without_keys(self, tmp_path: Path) -> None:
        file = tmp_path / "list.yaml"
        file.write_text("- 1\n")
        with pytest.raises(InputError, match="expected keys of the configuration"):
            read_files([file])
