"""Pages of results: results/report.html of the targets, results/ablations.html of the ablations."""


rule report_page:
    input:
        results=lambda w: page_results(w.page),
        graph=rules.tables.output.summary,
        concepts=rules.tables.output.concepts,
        spaces=lambda w: list(spaces(w.page).values()),
        datasets=lambda w: list(question_summaries(w.page).values()),
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
        encoders=lambda w: json.dumps(
            {
                name: f"{GRAPH}/{name}"
                for name in used_encoders(PLAN.asked_for(PAGES[w.page]))
            }
        ),
        spaces=lambda w: json.dumps(spaces(w.page)),
        datasets=lambda w: json.dumps(question_summaries(w.page)),
        runs=lambda w: json.dumps(
            [report_run(run, w.page) for run in PLAN.asked_for(PAGES[w.page])]
        ),
        runtimes="results/runtimes",
    message:
        "A page of results: {output.page}"
    shell:
        "python -m meg.report --kg {params.kg} --graph {input.graph} --concepts {input.concepts}"
        " --encoders {params.encoders:q} --spaces {params.spaces:q}"
        " --datasets {params.datasets:q}"
        " --runs {params.runs:q} --runtimes {params.runtimes} --out {output.page} > {log} 2>&1"


# The concepts' space before and after the mapper of a Phase I.
rule space:
    input:
        checkpoint="results/align/{aligned}/meg.json",
        store=lambda w: store(PLAN.aligned[w.aligned].encoder),
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
