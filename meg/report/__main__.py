"""What was run, as one HTML page that needs nothing beside it."""

import logging
from pathlib import Path

from pydantic import Field

from kg.shared.artefact import replacing
from kg.shared.command import Command, main
from meg.report.claims import gains
from meg.report.contents import Contents, PageFiles, by_group, read_results, read_runs
from meg.report.page import render
from meg.report.sections import sections

log = logging.getLogger(__name__)


class ReportCommand(PageFiles, Command):
    """Results, trainings, encoders and runtimes as one self-contained HTML page."""

    runs: Path = Field(description="JSON list of the runs and their files (RunFiles)")
    out: Path = Field(description="the page to write")

    def run(self) -> None:
        """Read everything, write the page."""
        files = {name: getattr(self, name) for name in PageFiles.model_fields}
        contents = Contents(**files, runs=read_runs(self.runs))
        results = read_results(contents.runs)
        about = f"Vectors of the knowledge graph {self.kg} are injected into large language models."
        introduction = f"{gains(by_group(results))} {about}".strip()
        page = render("MEG: report", introduction, sections(contents, results))
        with replacing(self.out) as temporary:
            temporary.write_text(page, encoding="utf-8")
        log.info("%s: %d runs", self.out, len(contents.runs))


if __name__ == "__main__":
    main(ReportCommand)
