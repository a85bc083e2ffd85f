"""The LLM: a base converted once, Phase I (names from vectors), Phase II (answers).

Trainings go first (priority): they take longest, and answers can fill the cores beside them.
"""


rule base:
    input:
        files=lambda w: inputs(model_files(CONFIG.models[w.model].base)),
    output:
        config="results/base/{model}/config.json",
        weights="results/base/{model}/model.safetensors",
    log:
        "logs/base/{model}.log",
    benchmark:
        "results/runtimes/base/{model}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem=memory(8),
        runtime="30m",
    params:
        code=code("meg.base"),
        base=lambda w: CONFIG.models[w.model].base,
        files=lambda w: stamps(model_files(CONFIG.models[w.model].base)),
        seed=CONFIG.seed,
        out=folder,
    message:
        "The base LLM {wildcards.model} becomes a transformers folder"
    shell:
        "python -m meg.base --base {params.base:q} --seed {params.seed} --out {params.out} > {log} 2>&1"


rule align:
    input:
        concepts=rules.tables.output.concepts,
        store=lambda w: PATHS.store(PLAN.aligned[w.aligned].encoder),
        base=lambda w: PATHS.base_files(PLAN.aligned[w.aligned].model),
        files=lambda w: inputs(
            OPTIONS.llm_files(PLAN.aligned[w.aligned], PLAN.aligned[w.aligned].align)
        ),
    output:
        checkpoint="results/align/{aligned}/meg.json",
        mapper="results/align/{aligned}/mapper.safetensors",
        adapter="results/align/{aligned}/adapter/adapter_model.safetensors",
        history="results/align/{aligned}/history.jsonl",
        metrics="results/align/{aligned}/metrics.json",
    log:
        "logs/align/{aligned}.log",
    benchmark:
        "results/runtimes/align/{aligned}.tsv"
    priority: 1
    conda:
        "../../environment.yml"
    threads: lambda w: RESOURCES.cores(RESOURCES.gpus(PLAN.aligned[w.aligned].model))
    resources:
        **RESOURCES.training(lambda w: PLAN.aligned[w.aligned].model),
    params:
        code=code("meg.align"),
        launch=lambda w, threads: RESOURCES.model_launcher(
            PLAN.aligned[w.aligned].model, threads
        ),
        base=lambda w: OPTIONS.base(PLAN.aligned[w.aligned].model),
        model=lambda w: OPTIONS.section(PLAN.aligned[w.aligned].llm),
        config=lambda w: OPTIONS.section(PLAN.aligned[w.aligned].align),
        files=lambda w: stamps(
            OPTIONS.llm_files(PLAN.aligned[w.aligned], PLAN.aligned[w.aligned].align)
        ),
        seed=lambda w: PLAN.aligned[w.aligned].seed,
        state="results/.state/align/{aligned}",
        out=folder,
    message:
        "Phase I of {wildcards.aligned}"
    shell:
        "{params.launch} meg.align --concepts {input.concepts} --store {input.store}"
        " {params.base} --model {params.model:q} --config {params.config:q} --seed {params.seed}"
        " --state {params.state} --out {params.out} > {log} 2>&1"


rule finetune:
    input:
        unpack(OPTIONS.finetune_inputs),
    output:
        checkpoint="results/models/{finetuned}/meg.json",
        mapper="results/models/{finetuned}/mapper.safetensors",
        adapter="results/models/{finetuned}/adapter/adapter_model.safetensors",
        history="results/models/{finetuned}/history.jsonl",
        metrics="results/models/{finetuned}/metrics.json",
    log:
        "logs/finetune/{finetuned}.log",
    benchmark:
        "results/runtimes/finetune/{finetuned}.tsv"
    priority: 1
    conda:
        "../../environment.yml"
    threads: lambda w: RESOURCES.cores(RESOURCES.gpus(PLAN.finetuned[w.finetuned].model))
    resources:
        **RESOURCES.training(lambda w: PLAN.finetuned[w.finetuned].model),
    params:
        code=code("meg.finetune"),
        launch=lambda w, threads: RESOURCES.model_launcher(
            PLAN.finetuned[w.finetuned].model, threads
        ),
        base=lambda w: OPTIONS.base(PLAN.finetuned[w.finetuned].model),
        dev=OPTIONS.dev,
        store=OPTIONS.store,
        start=OPTIONS.align,
        model=lambda w: OPTIONS.section(PLAN.finetuned[w.finetuned].llm),
        config=lambda w: OPTIONS.section(PLAN.finetuned[w.finetuned].finetune),
        files=lambda w: stamps(
            OPTIONS.llm_files(
                PLAN.finetuned[w.finetuned], PLAN.finetuned[w.finetuned].finetune
            )
        ),
        seed=lambda w: PLAN.finetuned[w.finetuned].seed,
        state="results/.state/finetune/{finetuned}",
        out=folder,
    message:
        "Phase II of {wildcards.finetuned}"
    shell:
        "{params.launch} meg.finetune --questions {input.questions} {params.dev} {params.store}"
        " {params.start} {params.base} --model {params.model:q} --config {params.config:q}"
        " --seed {params.seed} --state {params.state} --out {params.out} > {log} 2>&1"


# Phase I of every model that a target needs, by `snakemake aligned`.
rule aligned:
    input:
        [f"{PATHS.align_folder(run)}/meg.json" for run in PLAN.targets],
    localrule: True
    message:
        "Phase I is done"
