"""Questions of every data set, then the concepts named in them.

These rules are checkpoints, so that the jobs behind them are planned anew when they have run: where
the training questions turn out to be the same, nothing is trained on them again.
"""

SPLITS = ["train", "dev", "test"]


checkpoint questions:
    input:
        unpack(OPTIONS.question_inputs),
    output:
        questions=expand("results/questions/{{dataset}}/{split}.jsonl", split=SPLITS),
        summary="results/questions/{dataset}/summary.json",
        files="results/questions/{dataset}/inputs.json",
    log:
        "logs/questions/{dataset}.log",
    benchmark:
        "results/runtimes/questions/{dataset}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem=memory(8),
        runtime="1h",
    params:
        code=code("meg.questions"),
        graph=input_options,
        config=lambda w: OPTIONS.section(CONFIG.questions_of(w.dataset)),
        files=lambda w: stamps(question_files(CONFIG.questions_of(w.dataset))),
        out=folder,
    message:
        "Questions of {wildcards.dataset}"
    shell:
        "echo {params.files:q} > {output.files}; "
        "python -m meg.questions {params.graph} --config {params.config:q}"
        " --out {params.out} > {log} 2>&1"


checkpoint ground:
    input:
        linker=rules.linker.output.linker,
        questions=rules.questions.output.questions,
    output:
        questions=expand("results/grounded/{{dataset}}/{split}.jsonl", split=SPLITS),
        summaries=expand(
            "results/grounded/{{dataset}}/{split}.jsonl.summary.json", split=SPLITS
        ),
    log:
        "logs/ground/{dataset}.log",
    benchmark:
        "results/runtimes/ground/{dataset}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem=memory(4),
        runtime="1h",
    params:
        code=code("kg.link"),
        out=folder,
    message:
        "Concepts named in the questions of {wildcards.dataset}"
    shell:
        "python -m kg.link run --linker {input.linker} --out {params.out}"
        " {input.questions} > {log} 2>&1"


checkpoint neighbours:
    input:
        concepts=rules.tables.output.concepts,
        triplets=rules.tables.output.triplets,
        parents=rules.tables.output.parents,
        questions=rules.ground.output.questions,
    output:
        questions=expand("results/neighbours/{{dataset}}/{split}.jsonl", split=SPLITS),
    log:
        "logs/neighbours/{dataset}.log",
    benchmark:
        "results/runtimes/neighbours/{dataset}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem=memory(8),
        runtime="1h",
    params:
        code=code("meg.neighbours"),
        parents=OPTIONS.parents,
        out=folder,
    message:
        "Parents and triplets of the concepts in the questions of {wildcards.dataset}"
    shell:
        "python -m meg.neighbours --concepts {input.concepts} --triplets {input.triplets}"
        " {params.parents} --out {params.out} {input.questions} > {log} 2>&1"
