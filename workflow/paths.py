"""Names of the workflow's files: of the graph, of encoders, of what the runs make."""

from collections.abc import Iterable

from meg.config import PromptConfig
from workflow.plan import Plan, Run

__all__ = ["Paths"]


class Paths:
    """Where the files of a plan's stages lie, in results/."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.graph = f"results/kg/{plan.config.kg.name}"

    @property
    def annotated(self) -> list[str]:
        """What the HPO's tables leave out: `kg.graph.annotations`."""
        if self.plan.config.kg.source != "hpo":
            return []
        return [f"{self.graph}/{name}.parquet" for name in ("annotations", "ids")]

    def store(self, encoder: str) -> str:
        """Vectors of an encoder."""
        return f"{self.graph}/{encoder}/embeddings.h5"

    def encoder_result(self, encoder: str) -> str:
        """Measures of an encoder."""
        return f"results/kge/{self.plan.config.kg.name}_{encoder}.json"

    def base_folder(self, model: str) -> str | None:
        """Where the workflow makes a base LLM; None for one that is used as it is."""
        base = self.plan.config.models[model].base
        made = base.startswith("random:") or base.endswith(".gguf")
        return f"results/base/{model}" if made else None

    def base_files(self, model: str) -> list[str]:
        """What tells that a base LLM is made; empty for one that is used as it is."""
        made = self.base_folder(model)
        return [f"{made}/config.json"] if made else []

    def align_folder(self, run: Run) -> str:
        """Phase I of a run, or the checkpoint that stands for it."""
        if (start := self.plan.config.models[run.model].start) is not None:
            return str(start.expanduser())
        return f"results/align/{self.plan.aligned_by(run).align_name}"

    def finetune_folder(self, run: Run) -> str:
        """Phase II of a run."""
        return f"results/models/{self.plan.finetuned_by(run).name}"

    def checkpoint_folder(self, run: Run) -> str | None:
        """The model that answers in a run; None for the base LLM."""
        folders = {"finetune": self.finetune_folder, "align": self.align_folder}
        return folders[run.checkpoint](run) if run.checkpoint in folders else None

    def grounded(self, run: Run) -> str:
        """The questions that a run answers, with their concepts."""
        return f"results/grounded/{run.dataset}/test.jsonl"

    def questions(self, dataset: str, split: str, prompt: PromptConfig) -> str:
        """Grounded questions, with what the graph says of their concepts where it is used."""
        stage = "neighbours" if prompt.parents or prompt.triplets else "grounded"
        return f"results/{stage}/{dataset}/{split}.jsonl"

    def predictions(self, run: Run) -> str:
        """Answers of a run."""
        return f"results/predictions/{run.name}.jsonl"

    def used_encoders(self, runs: Iterable[Run]) -> list[str]:
        """The encoders to be trained for these runs."""
        used = dict.fromkeys(run.encoder for run in runs)
        return [name for name in used if name in self.plan.config.encoders]
