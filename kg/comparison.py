"""The measures of several encoders side by side, as a table and a figure.

python -m kg.comparison --encoders '{"text": "text/metrics.json"}' --out hpo_comparison.tsv
"""

import logging
from pathlib import Path

import matplotlib as mpl
from pydantic import Field

from kg.evaluation.comparison import comparison, figure
from kg.evaluation.metrics import EncoderMetrics
from kg.shared.artefact import replacing
from kg.shared.command import Command, main
from kg.shared.documents import read_document

log = logging.getLogger(__name__)


class ComparisonCommand(Command):
    """Tables and a figure of several metrics.json of one graph."""

    encoders: dict[str, Path] = Field(description="metrics.json of the encoders, by name")
    out: Path = Field(description="the table, .tsv; the figure goes beside it, .svg and .png")

    def run(self) -> None:
        """Read, compare, write."""
        metrics = {
            name: read_document(path, EncoderMetrics) for name, path in self.encoders.items()
        }
        seeds = {name: one.config.get("seed") for name, one in metrics.items()}
        if len(set(seeds.values())) > 1:
            log.warning("splits of several seeds: rows differ by them, too (%s)", seeds)
        table = comparison(metrics)
        with replacing(self.out) as temporary:
            table.write_csv(temporary, separator="\t", float_precision=4)
        with mpl.rc_context({"svg.hashsalt": self.out.stem, "svg.fonttype": "none"}):
            drawing = figure(table)
            for kind, metadata in (("svg", {"Date": None}), ("png", {})):
                with replacing(self.out.with_suffix(f".{kind}")) as temporary:
                    drawing.savefig(temporary, format=kind, metadata=metadata)
        log.info("%s: %d encoders", self.out, len(self.encoders))


if __name__ == "__main__":
    main(ComparisonCommand)
