"""A configuration for a graph of your own, from a look at its files.

python -m kg.init --edges my.tsv --nodes things.csv --out mine.yaml
"""

import logging
import os
import re
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field

from kg.shared.artefact import replacing
from kg.shared.command import Command, main
from kg.shared.errors import InputError
from kg.sources.guess import (
    MOST,
    Sample,
    guess_edges,
    guess_nodes,
    layout_of,
    plain_name,
    read_sample,
)
from kg.sources.settings import KGXConfig, TableConfig

log = logging.getLogger(__name__)

# A small graph would be a few of the demo's batches, from which its encoder learns nothing.
BY_FACTS: dict[int, dict[str, Any]] = {
    0: {
        "encoders": "encoders: {edgegraphsage: {epochs: 40, batch_size: 256}}\n",
        "sizes": "train: 600, dev: 40, test: 200",
        "epochs": 3,
    },
    15_000: {"encoders": "", "sizes": "train: 2400, dev: 200, test: 1000", "epochs": 1},
}
"""How a graph is learned and asked about, by the facts that there are at least."""

TEXT = """\
# Made by kg.init: look it over (docs/how-to/own-graph.md), then
#   snakemake --cores all --configfile config/demo.yaml {out}
directory: runs/{name}   # results/ and logs/ are made there
kg:
  name: {name}
  source: {source}
  folder: {folder}
  {source}:
{tables}{encoders}datasets:
  {name}:
    questions: {{source: graphquiz, {sizes}}}
    prompt: {{concepts: question+options}}
    finetune: {{training: {{epochs: {epochs}}}}}
targets:
  - {{dataset: {name}, model: smollm, variants: [text_only, permuted, zero_shot]}}
"""


class InitCommand(Command):
    """Files of facts and concepts to the configuration of a run that asks about them."""

    edges: Path = Field(description="table of facts: TSV, CSV (.gz, .zst) or parquet")
    nodes: Path | None = Field(None, description="table of concepts, where there is one")
    out: Path = Field(description="configuration to be written; its name becomes the graph's")

    def run(self) -> None:
        """Look at the files, write the configuration, say what to run."""
        if self.out.exists():
            raise InputError(f"{self.out} is there already; name another file by --out")
        paths = [self.edges, *([self.nodes] if self.nodes else [])]
        folder = Path(os.path.commonpath([path.parent.absolute() for path in paths]))
        edges = read_sample(self.edges.absolute())
        source, tables, remarks = self._section(edges, folder)
        least = max(facts for facts in BY_FACTS if len(edges.rows) >= facts)
        text = TEXT.format(
            out=self.out,
            name=re.sub(r"[^A-Za-z0-9_.-]|^[^A-Za-z0-9]", "", self.out.stem) or "own",
            source=source,
            folder=_flow(_shown(folder)),
            tables="".join(
                f"    # {remarks[key]}\n    {key}: {_flow(one)}\n" for key, one in tables.items()
            ),
            **BY_FACTS[least],
        )
        with replacing(self.out) as temporary:
            temporary.write_text(text, encoding="utf-8")
        log.info(
            "%s\n%s\nnext: snakemake --cores all --configfile config/demo.yaml %s",
            *(self.out, text, self.out),
        )

    def _section(self, edges: Sample, folder: Path) -> tuple[str, dict[str, Any], dict[str, str]]:
        """The command that reads the files, its section, and a remark on each key of it."""
        layout = layout_of(edges)
        if not layout or (layout == "kgx" and not self.nodes):
            return ("table", *self._table(edges, folder))
        paths = {"edges": edges.path, "nodes": self.nodes and self.nodes.absolute()}
        files = {key: [plain_name(path, folder)] for key, path in paths.items() if path}
        remarks = dict.fromkeys(files, f"by the names of the columns: {layout}")
        if layout == "kgx":
            return "kgx", KGXConfig.model_validate(files).model_dump(mode="json"), remarks
        tables = {"layout": layout, **{key: {"files": names} for key, names in files.items()}}
        return "table", tables, {"layout": "what other keys say", **remarks}

    def _table(self, edges: Sample, folder: Path) -> tuple[dict[str, Any], dict[str, str]]:
        """The section `kg.table` of columns that are no published layout's."""
        columns = guess_edges(edges)
        tables = {"edges": edges.section(folder) | columns}
        remarks = {"edges": _remark(edges, len(set(edges.values(columns["relation"]))))}
        if self.nodes:
            ends = {*edges.values(columns["head"]), *edges.values(columns["tail"])}
            nodes = read_sample(self.nodes.absolute(), MOST, ends)
            found, share = guess_nodes(nodes, ends)
            tables["nodes"] = nodes.section(folder) | found | _between(nodes, found)
            remarks["nodes"] = f"{share:.0%} of the facts' ends are in its column {found['id']}"
        TableConfig.model_validate(tables)
        return tables, remarks


def _remark(sample: Sample, relations: int) -> str:
    parted = {None: "parquet", "\t": "a TAB between columns"}
    how = parted.get(sample.separator, f"{sample.separator!r} between columns")
    header = "" if sample.separator is None else ", a header" if sample.header else ", no header"
    return f"{how}{header}; relations: {relations} in the first {len(sample.rows):,} rows"


def _between(sample: Sample, found: dict[str, str]) -> dict[str, str]:
    """What parts several types or synonyms, where that is a semicolon."""
    columns = [found[key] for key in ("type", "synonyms") if key in found]
    text = "".join("".join(sample.values(column)) for column in columns)
    return {"between": ";"} if ";" in text and "|" not in text else {}


def _shown(folder: Path) -> str:
    """From here where it is below, else as it is."""
    here = Path.cwd()
    return str(folder.relative_to(here) if folder.is_relative_to(here) else folder)


def _flow(value: Any) -> str:
    """YAML in one line."""
    text = yaml.safe_dump(
        value, default_flow_style=True, sort_keys=False, width=float("inf"), allow_unicode=True
    )
    return text.strip().removesuffix("...").strip()


if __name__ == "__main__":
    main(InitCommand)
