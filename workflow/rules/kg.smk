"""Knowledge graph: source -> tables -> features of the names -> encoder -> store; the linker."""


rule tables:
    input:
        files=inputs(graph_files(CONFIG.kg)),
    output:
        concepts=f"{GRAPH}/concepts.parquet",
        triplets=f"{GRAPH}/triplets.parquet",
        summary=f"{GRAPH}/summary.json",
        files=f"{GRAPH}/inputs.json",
        annotations=PATHS.annotated,
        parents=[f"{GRAPH}/parents.parquet"] if CONFIG.kg.source == "release" else [],
        stores=[PATHS.store(name) for name in CONFIG.kg.stores],
    log:
        "logs/tables.log",
    benchmark:
        "results/runtimes/tables.tsv"
    conda:
        "../../environment.yml"
    threads: RESOURCES.all_cores
    resources:
        mem=memory(8),
        runtime="1h",
    params:
        code=code(f"kg.{CONFIG.kg.source}"),
        source=CONFIG.kg.source,
        folder=verbatim(OPTIONS.source_folder()),
        config=verbatim(OPTIONS.source()),
        files=verbatim(stamps(graph_files(CONFIG.kg))),
        out=folder,
    message:
        "The knowledge graph {params.source} becomes tables"
    shell:
        "echo {params.files:q} > {output.files}; "
        "python -m kg.{params.source} {params.folder} {params.config}"
        " --out {params.out} > {log} 2>&1"


rule features:
    input:
        concepts=rules.tables.output.concepts,
        files=inputs(model_files(CONFIG.features.model)),
    output:
        features=f"{GRAPH}/features.h5",
    log:
        "logs/features.log",
    benchmark:
        "results/runtimes/features.tsv"
    conda:
        "../../environment.yml"
    threads: RESOURCES.all_cores
    resources:
        mem=memory(8),
        runtime="4h",
        gpu=RESOURCES.any_gpu(),
        gpu_slot=RESOURCES.any_gpu(),
    params:
        code=code("kg.features"),
        config=verbatim(OPTIONS.section(CONFIG.features)),
        files=verbatim(stamps(model_files(CONFIG.features.model))),
    message:
        "Concept names through the text encoder"
    shell:
        "python -m kg.features --concepts {input.concepts} --config {params.config:q}"
        " --out {output.features} > {log} 2>&1"


rule train_encoder:
    input:
        concepts=rules.tables.output.concepts,
        triplets=rules.tables.output.triplets,
        features=rules.features.output.features,
    output:
        store=f"{GRAPH}/{{encoder}}/embeddings.h5",
        metrics=f"{GRAPH}/{{encoder}}/metrics.json",
        history=f"{GRAPH}/{{encoder}}/history.jsonl",
        weights=f"{GRAPH}/{{encoder}}/encoder.safetensors",
    log:
        "logs/train_encoder/{encoder}.log",
    benchmark:
        "results/runtimes/train_encoder/{encoder}.tsv"
    conda:
        "../../environment.yml"
    threads: lambda w: RESOURCES.cores(RESOURCES.encoder_gpus(w.encoder))
    resources:
        mem=memory(16, lambda w: RESOURCES.encoder_gpus(w.encoder)),
        runtime="12h",
        gpu=lambda w: RESOURCES.encoder_gpus(w.encoder),
        gpu_slot=lambda w: min(1, RESOURCES.encoder_gpus(w.encoder)),
    params:
        code=code("kg.train"),
        launch=lambda w, threads: RESOURCES.launcher(
            RESOURCES.encoder_gpus(w.encoder), 1, threads
        ),
        config=lambda w: OPTIONS.section(CONFIG.encoder_settings(w.encoder)),
        out=folder,
        state=lambda w: f"results/.state/train_encoder/{w.encoder}",
    message:
        "Graph encoder {wildcards.encoder}: training, measures, store"
    shell:
        "{params.launch} kg.train --concepts {input.concepts} --triplets {input.triplets}"
        " --features {input.features} --config {params.config:q} --state {params.state}"
        " --out {params.out} > {log} 2>&1"


rule encoder_result:
    input:
        metrics=rules.train_encoder.output.metrics,
    output:
        metrics=report(
            f"results/kge/{CONFIG.kg.name}_{{encoder}}.json",
            caption="../report/encoder.rst",
            category="Graph encoders",
            labels={"encoder": "{encoder}"},
        ),
    log:
        "logs/encoder_result/{encoder}.log",
    localrule: True
    conda:
        "../../environment.yml"
    message:
        "Measures of the graph encoder {wildcards.encoder}"
    shell:
        "cp {input.metrics} {output.metrics} 2> {log}"


if CONFIG.link.corpus:

    rule link_priors:
        input:
            concepts=rules.tables.output.concepts,
            files=inputs([CONFIG.link.corpus]),
        output:
            **OPTIONS.learned_files(),
        log:
            "logs/link_priors.log",
        benchmark:
            "results/runtimes/link_priors.tsv"
        conda:
            "../../environment.yml"
        threads: 1
        resources:
            mem=memory(16),
            runtime="4h",
        params:
            code=code("kg.link"),
            inputs=input_options,
            corpus=verbatim(CONFIG.link.corpus),
            accept=OPTIONS.accept,
            seed=CONFIG.seed,
            config=verbatim(OPTIONS.section(CONFIG.link.settings)),
            files=verbatim(stamps([CONFIG.link.corpus])),
        message:
            "A corpus tells which names are mentions, and of what"
        shell:
            "python -m kg.link fit {params.inputs} --corpus {params.corpus:q} --seed {params.seed}"
            " --config {params.config:q}"
            " --out {output.priors} {params.accept} > {log} 2>&1"


rule linker:
    input:
        **OPTIONS.learned_files(),
        concepts=rules.tables.output.concepts,
    output:
        linker=directory(f"{GRAPH}/linker"),
    log:
        "logs/linker.log",
    benchmark:
        "results/runtimes/linker.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem=memory(4),
        runtime="1h",
    params:
        code=code("kg.link"),
        inputs=input_options,
        config=verbatim(OPTIONS.section(CONFIG.link.settings)),
    message:
        "Names and synonyms become a linker"
    shell:
        "python -m kg.link build {params.inputs} --config {params.config:q}"
        " --out {output.linker} > {log} 2>&1"


# The store of the main encoder, by `snakemake encoder`.
rule encoder:
    input:
        PATHS.store(CONFIG.encoder),
    localrule: True
    message:
        "The store of the main encoder is there"


# Every configured encoder with its measures, by `snakemake encoders`.
rule encoders:
    input:
        [PATHS.encoder_result(name) for name in CONFIG.encoders],
    localrule: True
    message:
        "Every encoder is measured"


# All encoders side by side, by `snakemake encoder_comparison`.
rule encoder_comparison:
    input:
        [PATHS.encoder_result(name) for name in CONFIG.encoders],
    output:
        table=f"results/kge/{CONFIG.kg.name}_comparison.tsv",
        figure=report(
            f"results/kge/{CONFIG.kg.name}_comparison.svg",
            caption="../report/encoder_comparison.rst",
            category="Graph encoders",
            labels={"encoder": "all"},
        ),
        image=f"results/kge/{CONFIG.kg.name}_comparison.png",
    log:
        "logs/encoder_comparison.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem=memory(2),
        runtime="10m",
    params:
        code=code("kg.comparison"),
        encoders=json.dumps(
            {name: PATHS.encoder_result(name) for name in CONFIG.encoders}
        ),
    message:
        "The encoders side by side: {output.table}"
    shell:
        "python -m kg.comparison --encoders {params.encoders:q} --out {output.table} > {log} 2>&1"
