"""Pages of results: results/report.html of the targets, results/ablations.html of the ablations."""


# What a page shows goes by a file: a command line holds 128 KiB, some 250 runs.
rule report_runs:
    output:
        runs="results/pages/{page}.json",
    log:
        "logs/report_runs/{page}.log",
    localrule: True
    params:
        runs=lambda w: json.dumps(PAGES.described(w.page), indent=1),
    message:
        "The runs of the page {wildcards.page}"
    run:
        Path(output.runs).write_text(params.runs)


rule report_page:
    input:
        runs=rules.report_runs.output.runs,
        results=lambda w: PAGES.results(w.page),
        graph=rules.tables.output.summary,
        concepts=rules.tables.output.concepts,
        spaces=lambda w: list(PAGES.spaces(w.page).values()),
        datasets=lambda w: list(PAGES.question_summaries(w.page).values()),
    output:
        page=report(
            "results/{page}.html", caption="../report/page.rst", category="Report"
        ),
    log:
        "logs/report_page/{page}.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem=memory(2),
        runtime="10m",
    params:
        code=code("meg.report"),
        kg=CONFIG.kg.name,
        encoders=lambda w: json.dumps(PAGES.encoders(w.page)),
        spaces=lambda w: json.dumps(PAGES.spaces(w.page)),
        datasets=lambda w: json.dumps(PAGES.question_summaries(w.page)),
        runtimes="results/runtimes",
    message:
        "A page of results: {output.page}"
    shell:
        "python -m meg.report --kg {params.kg} --graph {input.graph} --concepts {input.concepts}"
        " --encoders {params.encoders:q} --spaces {params.spaces:q}"
        " --datasets {params.datasets:q}"
        " --runs {input.runs} --runtimes {params.runtimes} --out {output.page} > {log} 2>&1"


# The concepts' space before and after the mapper of a Phase I.
rule space:
    input:
        checkpoint="results/align/{aligned}/meg.json",
        store=lambda w: PATHS.store(PLAN.aligned[w.aligned].encoder),
        concepts=rules.tables.output.concepts,
    output:
        space="results/space/{aligned}.json",
    log:
        "logs/space/{aligned}.log",
    benchmark:
        "results/runtimes/space/{aligned}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem=memory(4),
        runtime="30m",
    params:
        code=code("meg.space"),
        seed=CONFIG.seed,
        checkpoint=lambda w: f"results/align/{w.aligned}",
    message:
        "The space before and after the mapper of {wildcards.aligned}"
    shell:
        "python -m meg.space --checkpoint {params.checkpoint} --store {input.store}"
        " --concepts {input.concepts} --seed {params.seed} --out {output.space} > {log} 2>&1"
