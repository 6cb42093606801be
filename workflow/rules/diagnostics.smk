# What lies beside the language models: how a memory works, and fails.
#
# in:   results/{study}/corpus/train.parquet
# out:  results/{study}/diagnostics/


rule recall_patterns:
    input:
        train="results/{study}/corpus/train.parquet",
    output:
        record="results/{study}/diagnostics/hopfield/hopfield.json",
        svg=report(
            "results/{study}/diagnostics/hopfield/hopfield.svg",
            caption="../report/hopfield.rst",
            category="Where it began: a memory",
        ),
        png="results/{study}/diagnostics/hopfield/hopfield.png",
        html=report(
            "results/{study}/diagnostics/hopfield/hopfield.html",
            caption="../report/hopfield.rst",
            category="Where it began: a memory",
        ),
    log:
        "logs/recall_patterns/{study}.log",
    benchmark:
        "logs/recall_patterns/{study}.tsv"
    conda:
        "../../environment.yml"
    params:
        spec=lambda wildcards: FLOW.spec("recall_patterns"),
        code=FLOW.code("recall_patterns"),
    shell:
        "python -m nextchapter.stages.recall_patterns --spec {params.spec:q} --code {params.code}"
        " --train {input.train:q} --record {output.record:q} --svg {output.svg:q} --png {output.png:q}"
        " --html {output.html:q} --log {log:q}"
