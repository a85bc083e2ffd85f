"""Inputs and options of the rules' commands, by what the configuration and the plan say."""

import shlex
from itertools import chain
from pathlib import Path
from typing import Any

from snakemake.exceptions import WorkflowError

from kg.shared.command import Section
from meg.config import AlignConfig, FinetuneConfig
from meg.datasets.settings import GraphQuizConfig, HPOQuizConfig, PatientsConfig
from workflow.beside import beside, parts
from workflow.external import inputs, model_files, question_files, settings_files
from workflow.paths import Paths
from workflow.plan import Run

__all__ = ["Options", "folder", "input_options"]

Named = dict[str, Any]
"""Inputs of a rule by name; an empty list where a run has none."""


def folder(wildcards: Any, output: Any) -> Path:
    """Where a command that is told a folder writes its outputs."""
    return Path(output[0]).parent


def input_options(wildcards: Any, input: Any) -> str:
    """The named inputs, but for the files that the configuration names, as a command's options.

    Several files of one name stand for their folder.
    """
    named = {
        name: path if isinstance(path, str) else str(Path(path[0]).parent)
        for name, path in input.items()
        if name != "files"
    }
    return " ".join(f"--{name} {shlex.quote(path)}" for name, path in named.items())


class Options:
    """What the rules ask of a plan; `root` is the project's folder."""

    def __init__(self, paths: Paths, root: Path) -> None:
        self._paths = paths
        self._plan = paths.plan
        self._config = paths.plan.config
        self._root = root

    def section(self, value: Section) -> str:
        """A section of the configuration as the JSON that a command takes.

        DeepSpeed's settings that are not in the working directory (--directory) are the project's
        own.
        """
        if isinstance(value, AlignConfig | FinetuneConfig):
            for path in settings_files(value.training, self._root):
                training = value.training.model_copy(update={"deepspeed": str(path)})
                value = value.model_copy(update={"training": training})
        return value.model_dump_json()

    def source(self) -> str:
        """Settings of the command that reads the graph, where it has some."""
        settings = self._config.kg.settings
        return f"--config {shlex.quote(self.section(settings))}" if settings else ""

    def source_folder(self) -> str:
        """Folder of the source's files; "~" in it is the user's own."""
        if self._config.kg.folder is None:
            return ""
        return f"--folder {shlex.quote(str(Path(self._config.kg.folder).expanduser()))}"

    def question_inputs(self, wildcards: Any) -> Named:
        """A data set's files; the graph, for the one that is made from it."""
        questions = self._config.datasets[wildcards.dataset].questions
        files = inputs(question_files(questions))
        if not isinstance(questions, GraphQuizConfig | HPOQuizConfig | PatientsConfig):
            return {"files": files}
        if self._config.kg.source != "hpo" and not isinstance(questions, GraphQuizConfig):
            raise WorkflowError(
                f"datasets.{wildcards.dataset}: questions of the source {questions.source} are made"
                f" from the Human Phenotype Ontology, and kg.source is {self._config.kg.source};"
                " take kg.source hpo (config/demo.yaml), or a data set of the source graphquiz"
            )
        graph = self._paths.graph
        if isinstance(questions, PatientsConfig):
            tables = [f"{graph}/{name}.parquet" for name in ("concepts", "triplets")]
            return {"files": files, "graph": [*tables, *self._paths.annotated]}
        return {
            "concepts": f"{graph}/concepts.parquet",
            "triplets": f"{graph}/triplets.parquet",
            "features": f"{graph}/features.h5",
            "files": files,
        }

    def rank_inputs(self, wildcards: Any) -> Named:
        """Patients, the graph whose diseases are ranked, the main encoder's vectors."""
        questions = self._config.datasets[wildcards.dataset].questions
        if not isinstance(questions, PatientsConfig):
            raise WorkflowError(
                f"datasets.{wildcards.dataset}: diseases are ranked for patients, and its questions"
                f" are of the source {questions.source}; name a data set of the source patients"
                " (config/patients.yaml)"
            )
        store = self._paths.store(self._config.encoder)
        return {**self.question_inputs(wildcards), "store": store}

    def learned_files(self) -> dict[str, str]:
        """What `kg.link fit` makes of a corpus, by the option that `kg.link build` takes it by."""
        if self._config.link.corpus is None:
            return {}
        graph = self._paths.graph
        accept = {"accept": f"{graph}/accept.npz"} if self._config.link.accept else {}
        return {"priors": f"{graph}/priors.parquet", **accept}

    def accept(self, wildcards: Any, output: Any) -> str:
        """Where `kg.link fit` writes its accept model, if one is asked for."""
        return f"--accept {output.accept}" if self._config.link.accept else ""

    def llm_files(self, run: Run, *phases: AlignConfig | FinetuneConfig) -> list[Path]:
        """A base LLM's files where it is a folder or a file, DeepSpeed's settings of the phases."""
        settings = (settings_files(one.training, self._root) for one in phases)
        base = self._config.models[run.model].base
        return [*model_files(base), *chain.from_iterable(settings)]

    def base(self, model: str) -> str:
        """The base LLM that the workflow makes, where it makes one."""
        made = self._paths.base_folder(model)
        return f"--base {made}" if made else ""

    def store(self, wildcards: Any, input: Any) -> str:
        """Vectors, for a run that takes some."""
        return f"--store {input.store}" if input.store else ""

    def parents(self, wildcards: Any, input: Any) -> str:
        """The parents that a release lists."""
        return f"--parents {input.parents}" if input.parents else ""

    def finetune_inputs(self, wildcards: Any) -> Named:
        """What Phase II of a run is trained on, and what it starts from."""
        run = self._plan.finetuned[wildcards.finetuned]
        prompt, asked = run.finetune.prompt, self._paths.questions
        judged = prompt.answer == "yesno"
        return {
            "questions": asked(run.trained_on, "train", prompt),
            "dev": asked(run.trained_on, "dev", prompt) if judged else [],
            "store": self._paths.store(run.encoder) if run.trains_with_store else [],
            "base": self._paths.base_files(run.model),
            "files": inputs(self.llm_files(run, run.finetune)),
            "align": self._start(run),
        }

    def _start(self, run: Run) -> str | list[str]:
        """The checkpoint that a Phase II starts from; none where that is the base LLM."""
        before = self._plan.before(run)
        if before is not None:
            return f"{self._paths.finetune_folder(before)}/meg.json"
        aligned = run.finetune.start == "align"
        return f"{self._paths.align_folder(run)}/meg.json" if aligned else []

    def dev(self, wildcards: Any, input: Any) -> str:
        """Questions that the score of one option is calibrated on."""
        return f"--dev {input.dev}" if input.dev else ""

    def align(self, wildcards: Any, input: Any) -> str:
        """The checkpoint that a Phase II starts from."""
        return f"--align {Path(input.align).parent}" if input.align else ""

    def predict_inputs(self, wildcards: Any) -> Named:
        """What a run answers, and with what."""
        return self._answering_inputs(wildcards, "test")

    def predict_dev_inputs(self, wildcards: Any) -> Named:
        """The same of the dev questions."""
        return self._answering_inputs(wildcards, "dev")

    def _answering_inputs(self, wildcards: Any, split: str) -> Named:
        run = self._plan.runs[wildcards.run]
        answering = self._paths.checkpoint_folder(run)
        return {
            "questions": self._paths.questions(run.dataset, split, run.prompt),
            "store": self._paths.store(run.encoder) if run.needs_store else [],
            "base": self._paths.base_files(run.model),
            "files": inputs(self.llm_files(run)),
            "checkpoint": f"{answering}/meg.json" if answering else [],
        }

    def answering(self, wildcards: Any) -> str:
        """The trained model, or what the base LLM is: it has neither adapters nor mapper.

        Asks for no `input`: Snakemake does not compare params that are derived from it.
        """
        run = self._plan.runs[wildcards.run]
        checkpoint = self._paths.checkpoint_folder(run)
        if checkpoint:
            return f"--checkpoint {checkpoint}"
        return f"--model {shlex.quote(run.llm.model_dump_json(exclude={'lora', 'mapper'}))}"

    def similarity_inputs(self, wildcards: Any) -> Named:
        """What a similarity compares, and with what."""
        asked = f"results/grounded/{wildcards.dataset}/{wildcards.split}.jsonl"
        method, _, encoder = wildcards.method.partition("/")
        graph = self._paths.graph
        if method == "information":
            tables = {name: f"{graph}/{name}.parquet" for name in ("concepts", "triplets")}
            return {"questions": asked, **tables}
        store = self._paths.store(encoder) if method == "vectors" else f"{graph}/features.h5"
        return {"questions": asked, "store": store}

    def combine_inputs(self, wildcards: Any) -> Named:
        """Answers whose scores are added, to the test questions and to the dev ones."""
        run = self._plan.runs[wildcards.run]
        return {
            "runs": parts(run, wildcards.together, "test"),
            "dev": parts(run, wildcards.together, "dev"),
        }

    def combined(self, wildcards: Any, input: Any) -> str:
        """The same, as the command takes it: an option a file."""
        named = (("runs", input.runs), ("dev", input.dev))
        return " ".join(f"--{name} {path}" for name, paths in named for path in paths)

    def _compared(self, wildcards: Any) -> dict[str, str]:
        run = self._plan.runs[wildcards.run]
        others = self._plan.compared(run)
        similarities = self._config.datasets[run.dataset].beside
        return {
            **{name: self._paths.predictions(other) for name, other in others.items()},
            **beside(run, similarities),
        }

    def compared_files(self, wildcards: Any) -> list[str]:
        """Answers that those of a run are compared with."""
        return list(self._compared(wildcards).values())

    def compare(self, wildcards: Any) -> str:
        """The same, by variant or similarity."""
        compared = self._compared(wildcards).items()
        return " ".join(f"--against {name}={path}" for name, path in compared)

    def _noted(self, wildcards: Any) -> dict[str, str]:
        """Where it is noted which users' files a run was made from: the graph's, its data sets'."""
        run = self._plan.runs[wildcards.run]
        trained = run.checkpoint == "finetune"
        learned = self._config.line(run.trained_on) if trained else []
        noted = {f"questions/{dataset}" for dataset in (run.dataset, *learned)}
        names = (self._paths.graph.removeprefix("results/"), *sorted(noted))
        return {name: f"results/{name}/inputs.json" for name in names}

    def noted_files(self, wildcards: Any) -> list[str]:
        """Notes of the users' files that a run was made from."""
        return list(self._noted(wildcards).values())

    def noted(self, wildcards: Any) -> str:
        """The same, by what the files were read for."""
        return " ".join(f"--inputs {name}={path}" for name, path in self._noted(wildcards).items())

    def about(self, wildcards: Any) -> str:
        """What a run is, in its result."""
        run = self._plan.runs[wildcards.run]
        names = ("dataset", "model", "variant", "encoder", "trained_on", "seed")
        return " ".join(f"--about {name}={getattr(run, name)}" for name in names)
