"""The report page of everything that was run."""


rule report_page:
    input:
        results=[name for name in targets() if name.endswith(".json")],
        graph=rules.tables.output.summary,
    output:
        page=report(
            "results/report.html", caption="../report/page.rst", category="Report"
        ),
    log:
        "logs/report_page.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem=memory(2),
        runtime="10m",
    params:
        code=code("meg.report"),
        kg=CONFIG.kg.name,
        encoders=json.dumps({name: f"{GRAPH}/{name}" for name in used_encoders()}),
        runs=json.dumps([report_run(run) for run in PLAN.targets]),
        runtimes="results/runtimes",
    message:
        "The report: results/report.html"
    shell:
        "python -m meg.report --kg {params.kg} --graph {input.graph} --encoders {params.encoders:q}"
        " --runs {params.runs:q} --runtimes {params.runtimes} --out {output.page} > {log} 2>&1"
