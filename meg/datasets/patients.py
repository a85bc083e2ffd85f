"""Published patients and the diagnosis they were given: questions that no graph was asked for.

Test: real cases (`meg.datasets.cases`); the wrong options are among the diseases of the other
cases, drawn from those most alike by the graph's annotations. Training and dev: simulated patients
(`meg.datasets.simulated`) of diseases that no case has, with wrong options of such.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from kg.graph.annotations import AnnotatedGraph
from kg.graph.information import Information
from kg.shared.errors import InputError
from kg.sources.phenopackets import read_phenopackets
from meg.datasets.cases import Cases, Row
from meg.datasets.differential import OPTIONS, Differential
from meg.datasets.settings import PatientsConfig
from meg.datasets.simulated import Simulator
from meg.datasets.splits import Splits
from meg.datasets.vignette import Case, question_fields

__all__ = ["read"]

DEV_SHARE = 0.1
"""Of the diseases that no case has: theirs are the dev patients, the others' the training ones."""


def read(config: PatientsConfig, graph: AnnotatedGraph) -> Splits:
    """The questions; raises InputError where the graph or the cases give too few."""
    patients, unread = read_phenopackets(config.path)
    rng = np.random.default_rng(config.seed)
    information = Information(graph.concepts, graph.triplets)
    splits = Splits()
    for one in unread:
        splits.reject("test", one.file, one.reason)
    cases, lost = Cases(graph).usable(
        patients, set(information.diseases), config.min_findings, config.path, config.papers
    )
    chosen = _at_most(cases, config.per_disease, rng)
    tested = {disease for _, _, disease, _ in chosen}
    differential = partial(
        Differential, nearest=config.alike, information=information, names=graph.names
    )
    _write(splits, "test", chosen, differential(sorted(tested)), config, rng)
    splits.facts["cases"] = {
        "read": len(patients),
        "dropped": lost | {"beyond per_disease": len(cases) - len(chosen)},
        "kept": len(chosen),
        "diseases": len(tested),
    }
    every = {patient.disease for patient in patients}
    # Of one catalogue: another has most of the tested diseases under ids of its own.
    catalogues = {disease.partition(":")[0] for disease in tested}
    others = [
        disease
        for disease in information.diseases
        if disease not in every and disease.partition(":")[0] in catalogues
    ]
    _simulate(splits, config, graph, others, differential, rng)
    return splits


def _at_most(cases: list[Row], most: int, rng: np.random.Generator) -> list[Row]:
    """As many cases of each disease and kind, drawn."""
    groups: defaultdict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in cases:
        groups[row[2:]].append(row)
    return [
        group[i]
        for _, group in sorted(groups.items())
        for i in sorted(rng.permutation(len(group))[:most].tolist())
    ]


def _simulate(
    splits: Splits,
    config: PatientsConfig,
    graph: AnnotatedGraph,
    diseases: Sequence[str],
    differential: Callable[[Sequence[str]], Differential],
    rng: np.random.Generator,
) -> None:
    """Dev and training patients, each part of diseases of its own."""
    simulator = Simulator(graph.annotations, graph.parents)
    usable = [disease for disease in diseases if simulator.knows(disease)]
    order = [usable[i] for i in rng.permutation(len(usable)).tolist()]
    held = int(len(order) * DEV_SHARE)
    for split, own in (("dev", order[:held]), ("train", order[held:])):
        drawn = [own[i % len(own)] for i in range(getattr(config, split))] if own else []
        rows = [
            (f"simulated-{split}-{i}", simulator.case(disease, rng), disease, "simulated")
            for i, disease in enumerate(drawn)
        ]
        if rows:
            _write(splits, split, rows, differential(sorted(own)), config, rng)


def _write(
    splits: Splits,
    split: str,
    rows: Sequence[Row],
    differential: Differential,
    config: PatientsConfig,
    rng: np.random.Generator,
) -> None:
    if len(differential.diseases) < OPTIONS:
        raise InputError(
            f"{config.path}: the {split} patients have {len(differential.diseases)} diseases, "
            f"expected {OPTIONS} or more to choose among"
        )
    differential.prepare(sorted({disease for _, _, disease, _ in rows}))
    places = rng.permutation(np.arange(len(rows)) % OPTIONS).tolist()
    for (id, case, disease, kind), place in zip(rows, places, strict=True):
        options = differential.options(disease, place, rng)
        fields = question_fields(_told(case, config, rng), options, differential.names)
        splits.add(split, id, answer=place, kind=kind, **fields)
    if rows:
        splits.facts.setdefault("shortcuts", {})[split] = differential.shortcuts()


def _told(case: Case, config: PatientsConfig, rng: np.random.Generator) -> Case:
    """As many findings as the configuration wants, drawn, in the case's order."""
    shown = []
    for every, most in ((case.findings, config.findings), (case.absent, config.absent)):
        drawn = sorted(rng.permutation(len(every))[:most].tolist())
        shown.append(tuple(every[i] for i in drawn))
    findings, absent = shown
    return replace(case, findings=findings, absent=absent)
