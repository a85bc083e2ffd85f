"""The files of the configuration: `config/base.yaml`, and over it those that a user names."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import yaml

from kg.shared.errors import InputError
from workflow.layers import Values, merge

__all__ = ["BASE", "PUBLISHED", "over_base", "read_files"]

CONFIG = Path(__file__).parents[1] / "config"

BASE = CONFIG / "base.yaml"
"""Encoders, variants and their comparisons, under every configuration."""

PUBLISHED = CONFIG / "published.yaml"
"""Read where no file is named."""


def over_base(values: Mapping[str, object]) -> Values:
    """The values that Snakemake has read of its `--configfile`, over those of the base."""
    return merge(_read(BASE), values)


def read_files(files: Iterable[Path]) -> dict[str, Values]:
    """What each file says by its path, the base first and the strongest last.

    Without files, those of the published runs. Raises InputError when one cannot be read.
    """
    return {_shown(file): _read(file) for file in (BASE, *(list(files) or [PUBLISHED]))}


def _read(file: Path) -> Values:
    try:
        values = yaml.safe_load(file.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise InputError(f"{file}: cannot be read as YAML: {error}") from error
    if not isinstance(values, dict):
        raise InputError(f"{file}: expected keys of the configuration, got {values!r:.80}")
    return values


def _shown(file: Path) -> str:
    """As config/<name> where it is one of the project's own."""
    own = file.resolve().is_relative_to(CONFIG)
    return str(file.resolve().relative_to(CONFIG.parent)) if own else str(file)
