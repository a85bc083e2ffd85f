"""Answers and scores of every run, with paired comparisons."""


rule predict:
    input:
        unpack(OPTIONS.predict_inputs),
    output:
        predictions="results/predictions/{run}.jsonl",
        meta="results/predictions/{run}.meta.json",
    log:
        "logs/predict/{run}.log",
    benchmark:
        "results/runtimes/predict/{run}.tsv"
    conda:
        "../../environment.yml"
    threads: lambda w: RESOURCES.cores(min(1, RESOURCES.gpus(PLAN.runs[w.run].model)))
    resources:
        mem=memory(32),
        runtime="4h",
        gpu=lambda w: min(1, RESOURCES.gpus(PLAN.runs[w.run].model)),
        gpu_slot=lambda w: min(1, RESOURCES.gpus(PLAN.runs[w.run].model)),
    params:
        code=code("meg.predict"),
        store=OPTIONS.store,
        model=OPTIONS.answering,
        base=lambda w: OPTIONS.base(PLAN.runs[w.run].model),
        prompt=lambda w: OPTIONS.section(PLAN.runs[w.run].prompt),
        config=lambda w: OPTIONS.section(PLAN.runs[w.run].predict),
        files=lambda w: stamps(OPTIONS.llm_files(PLAN.runs[w.run])),
    message:
        "Answers of {wildcards.run}"
    shell:
        "python -m meg.predict --questions {input.questions} {params.store}"
        " {params.model} {params.base} --prompt {params.prompt:q} --config {params.config:q}"
        " --out {output.predictions} > {log} 2>&1"


# The dev questions, which say how much a similarity weighs beside the run.
use rule predict as predict_dev with:
    input:
        unpack(OPTIONS.predict_dev_inputs),
    output:
        predictions="results/predictions/dev/{run}.jsonl",
        meta="results/predictions/dev/{run}.meta.json",
    log:
        "logs/predict_dev/{run}.log",
    benchmark:
        "results/runtimes/predict_dev/{run}.tsv"
    message:
        "Answers of {wildcards.run} to the dev questions"


rule similarity:
    input:
        unpack(OPTIONS.similarity_inputs),
    output:
        predictions="results/similarity/{dataset}/{method}/{split}.jsonl",
        meta="results/similarity/{dataset}/{method}/{split}.meta.json",
    log:
        "logs/similarity/{dataset}/{method}/{split}.log",
    wildcard_constraints:
        method="information|text|vectors/[^/]+",
        split="dev|test",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem=memory(8),
        runtime="1h",
    params:
        code=code("meg.similarity"),
        method=lambda w: w.method.partition("/")[0],
        inputs=input_options,
    message:
        "Answers to {wildcards.dataset} without an LLM: {wildcards.method}"
    shell:
        "python -m meg.similarity --method {params.method} {params.inputs}"
        " --out {output.predictions} > {log} 2>&1"


rule combine:
    input:
        unpack(OPTIONS.combine_inputs),
    output:
        predictions="results/combined/{run}/{together}.jsonl",
        meta="results/combined/{run}/{together}.meta.json",
    log:
        "logs/combine/{run}_{together}.log",
    wildcard_constraints:
        together="|".join(TOGETHER),
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem=memory(2),
        runtime="10m",
    params:
        code=code("meg.combine"),
        combined=OPTIONS.combined,
    message:
        "Answers of {wildcards.run} with other scores: {wildcards.together}"
    shell:
        "python -m meg.combine {params.combined} --out {output.predictions} > {log} 2>&1"


rule score:
    input:
        predictions="results/predictions/{run}.jsonl",
        meta="results/predictions/{run}.meta.json",
        compared=OPTIONS.compared_files,
        noted=OPTIONS.noted_files,
    output:
        result=report(
            "results/{folder}{run}.json",
            caption="../report/result.rst",
            category="Accuracy",
            labels={"run": "{run}"},
        ),
    log:
        "logs/score/{folder}{run}.log",
    wildcard_constraints:
        folder="|ablations/|seeds/each/",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem=memory(2),
        runtime="10m",
    params:
        code=code("meg.score"),
        compare=OPTIONS.compare,
        noted=OPTIONS.noted,
        about=OPTIONS.about,
    message:
        "Score of {wildcards.run}"
    shell:
        "python -m meg.score run --predictions {input.predictions} {params.compare}"
        " {params.noted} {params.about} --out {output.result} > {log} 2>&1"


rule seeds:
    input:
        results=lambda w: [run.result for run in PLAN.seeds_of(PLAN.runs[w.seeded])],
    output:
        result="results/seeds/{seeded}.json",
    log:
        "logs/seeds/{seeded}.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem=memory(2),
        runtime="10m",
    params:
        code=code("meg.seeds"),
    message:
        "Mean and standard deviation of {wildcards.seeded} over its seeds"
    shell:
        "python -m meg.seeds --out {output.result} {input.results} > {log} 2>&1"


# Without an LLM: it needs no trained model.
rule rank:
    input:
        unpack(OPTIONS.rank_inputs),
    output:
        summary="results/rank/{dataset}.json",
        patients="results/rank/{dataset}.jsonl",
    log:
        "logs/rank/{dataset}.log",
    benchmark:
        "results/runtimes/rank/{dataset}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem=memory(4),
        runtime="1h",
    params:
        code=code("meg.rank"),
        patients=lambda w: CONFIG.questions_of(w.dataset).path,
        graph=GRAPH,
        config=verbatim(OPTIONS.section(CONFIG.rank)),
        files=lambda w: stamps(question_files(CONFIG.questions_of(w.dataset))),
    message:
        "Diseases ranked for the patients of {wildcards.dataset}"
    shell:
        "python -m meg.rank --patients {params.patients:q} --graph {params.graph}"
        " --store {input.store} --config {params.config:q} --out {output.summary}"
        " > {log} 2>&1"


# Everything that the configuration's key `ablations` lists, by `snakemake ablations`.
rule ablations:
    input:
        PAGES.ablations,
    localrule: True
    message:
        "Every ablation is scored"
