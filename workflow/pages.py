"""Pages of results: what each shows, and the files behind it."""

from typing import Any

from snakemake.exceptions import WorkflowError

from workflow.paths import Paths
from workflow.plan import Run
from workflow.sections import MAIN, Target

__all__ = ["Pages"]


class Pages:
    """`report`, of the configuration's targets, and `ablations`, of its list of that name."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths
        self._plan = paths.plan
        self._config = paths.plan.config
        self.shown: dict[str, list[Target]] = {
            "report": self._config.targets,
            "ablations": self._config.ablations,
        }

    def runs(self, page: str) -> list[Run]:
        """The runs of a page."""
        return self._plan.asked_for(self.shown[page])

    def results(self, page: str) -> list[str]:
        """The JSON files behind a page: results, their means over seeds, measures of encoders."""
        return [
            *(run.result for run in self.runs(page)),
            *(run.seeds_result for run in self._plan.averaged(self.shown[page])),
            *map(self._paths.encoder_result, self._paths.used_encoders(self.runs(page))),
        ]

    def compared(self) -> list[str]:
        """Results of the targets that others are compared with: the table at a run's end."""
        return [run.result for run in self.runs("report") if self._plan.compared(run)]

    def targets(self) -> list[str]:
        """What the configuration asks for."""
        return [*self.results("report"), "results/report.html"]

    def ablations(self, wildcards: Any) -> list[str]:
        """What its list of ablations asks for."""
        if not self._config.ablations:
            raise WorkflowError(
                "the configuration lists no ablations: fill its key ablations, or name"
                " config/ablations.yaml behind the configuration file"
            )
        return [*self.results("ablations"), "results/ablations.html"]

    def encoders(self, page: str) -> dict[str, str]:
        """Folders of the encoders of a page, by name."""
        names = self._paths.used_encoders(self.runs(page))
        return {name: f"{self._paths.graph}/{name}" for name in names}

    def spaces(self, page: str) -> dict[str, str]:
        """Phases I whose space a page draws: those of the main runs, by name."""
        names = {
            self._plan.aligned_by(run).align_name
            for run in self.runs(page)
            if run.variant == MAIN and self._is_aligned(run)
        }
        return {name: f"results/space/{name}.json" for name in sorted(names)}

    def question_summaries(self, page: str) -> dict[str, str]:
        """What meg.questions says of the data sets of a page, by name."""
        names = dict.fromkeys(run.dataset for run in self.runs(page))
        return {name: f"results/questions/{name}/summary.json" for name in names}

    def described(self, page: str) -> list[dict[str, Any]]:
        """The runs of a page with the files behind them, as `meg.report` takes them."""
        return [self._described(run, page) for run in self.runs(page)]

    def _described(self, run: Run, page: str) -> dict[str, Any]:
        variant = self._config.variants.get(run.variant)
        where = (run.dataset, run.model, run.variant)
        averaged = run in self._plan.averaged(self.shown[page])
        alone = variant is None or variant.only_the_encoder
        trained = run.checkpoint == "finetune"
        return {
            "dataset": run.dataset,
            "model": run.model,
            "variant": run.variant,
            "description": variant.description if variant else "",
            "encoder": run.encoder if alone else None,
            "result": run.result,
            "seeds": run.seeds_result if averaged else None,
            "published": [
                {"accuracy": one.accuracy, "source": one.source}
                for one in self._config.published
                if (one.dataset, one.model, one.variant) == where
            ],
            "predictions": self._paths.predictions(run),
            "questions": self._paths.grounded(run),
            "align": self._paths.align_folder(run) if self._is_aligned(run) else None,
            "finetune": self._paths.finetune_folder(run) if trained else None,
        }

    def _is_aligned(self, run: Run) -> bool:
        """Whether a Phase I that is trained here has a part in a run's answers."""
        if self._config.models[run.model].start is not None:
            return False
        trained = run.checkpoint == "finetune" and run.finetune.start == "align"
        return trained or run.checkpoint == "align"
