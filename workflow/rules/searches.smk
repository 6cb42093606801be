# Searches: what was tried against how well it did. Their runs are runs like all others (runs.smk).
#
# in:   results/{study}/runs/{run}/run.json, metrics.json of the search's runs
# out:  results/{study}/searches/{search}.csv, .svg, .png


rule plot_search:
    input:
        provenance=FLOW.files_of_search("run.json"),
        metrics=FLOW.files_of_search("metrics.json"),
    output:
        csv="results/{study}/searches/{search}.csv",
        svg=report(
            "results/{study}/searches/{search}.svg",
            caption="../report/search.rst",
            category="Searches",
            labels={"search": "{search}"},
        ),
        png="results/{study}/searches/{search}.png",
    log:
        "logs/plot_search/{study}/{search}.log",
    benchmark:
        "logs/plot_search/{study}/{search}.tsv"
    conda:
        "../../environment.yml"
    params:
        spec=lambda wildcards: FLOW.spec("plot_search", wildcards.search),
        code=FLOW.code("plot_search"),
    shell:
        "python -m nextchapter.stages.plot_search --spec {params.spec:q} --code {params.code}"
        " --provenance {input.provenance:q} --metrics {input.metrics:q}"
        " --csv {output.csv:q} --svg {output.svg:q} --png {output.png:q} --log {log:q}"
