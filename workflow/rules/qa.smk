"""Questions of every data set, then the concepts named in them."""

SPLITS = ["train", "dev", "test"]


rule questions:
    input:
        unpack(quiz_inputs),
    output:
        questions=expand("results/questions/{{dataset}}/{split}.jsonl", split=SPLITS),
        summary="results/questions/{dataset}/summary.json",
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
        config=lambda w: section(CONFIG.questions_of(w.dataset)),
        out=folder,
    message:
        "Questions of {wildcards.dataset}"
    shell:
        "python -m meg.questions {params.graph} --config {params.config:q}"
        " --out {params.out} > {log} 2>&1"


rule ground:
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


rule neighbours:
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
        parents=parents_option,
        out=folder,
    message:
        "Parents and triplets of the concepts in the questions of {wildcards.dataset}"
    shell:
        "python -m meg.neighbours --concepts {input.concepts} --triplets {input.triplets}"
        " {params.parents} --out {params.out} {input.questions} > {log} 2>&1"
