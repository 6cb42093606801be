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


rule train_tasks:
    output:
        record="results/{study}/diagnostics/tasks/{task}/{network}.json",
    log:
        "logs/train_tasks/{study}/{task}/{network}.log",
    benchmark:
        "logs/train_tasks/{study}/{task}/{network}.tsv"
    conda:
        "../../environment.yml"
    params:
        spec=lambda wildcards: FLOW.spec("train_tasks", f"{wildcards.task}/{wildcards.network}"),
        code=lambda wildcards: FLOW.code("train_tasks", f"{wildcards.task}/{wildcards.network}"),
    shell:
        "python -m nextchapter.stages.train_tasks --spec {params.spec:q} --code {params.code} --threads {threads}"
        " --record {output.record:q} --log {log:q}"


rule plot_tasks:
    input:
        records=FLOW.task_records,
    output:
        csv=report(
            "results/{study}/diagnostics/tasks/tasks.csv",
            caption="../report/tasks.rst",
            category="Gradient lab",
            labels={"shows": "memory tasks, as a table"},
        ),
        svg=report(
            "results/{study}/diagnostics/tasks/tasks.svg",
            caption="../report/tasks.rst",
            category="Gradient lab",
            labels={"shows": "memory tasks, as a figure"},
        ),
        png="results/{study}/diagnostics/tasks/tasks.png",
        html=report(
            "results/{study}/diagnostics/tasks/tasks.html",
            caption="../report/tasks.rst",
            category="Gradient lab",
            labels={"shows": "memory tasks, explained"},
        ),
    log:
        "logs/plot_tasks/{study}.log",
    benchmark:
        "logs/plot_tasks/{study}.tsv"
    conda:
        "../../environment.yml"
    params:
        spec=lambda wildcards: FLOW.spec("plot_tasks"),
        code=FLOW.code("plot_tasks"),
    shell:
        "python -m nextchapter.stages.plot_tasks --spec {params.spec:q} --code {params.code}"
        " --records {input.records:q} --csv {output.csv:q} --svg {output.svg:q} --png {output.png:q}"
        " --html {output.html:q} --log {log:q}"
