# What lies beside the language models: how a memory works, and fails; why recurrent networks forget.
#
# in:   results/{study}/corpus/train.parquet, tokens/{tokenizer}/, runs/{run}/model.safetensors
# out:  results/{study}/diagnostics/, runs/{run}/neurons.svg, runs/{run}/state-path.svg


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
        records=FLOW.parts.task_records,
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


rule measure_gradients:
    input:
        models=expand("results/{{study}}/runs/{run}/model.safetensors", run=FLOW.parts.recurrent_runs),
        facts=expand("results/{{study}}/tokens/{tokenizer}/tokens.json", tokenizer=FLOW.parts.recurrent_tokenizers),
        train=expand("results/{{study}}/tokens/{tokenizer}/train.bin", tokenizer=FLOW.parts.recurrent_tokenizers),
        test=expand("results/{{study}}/tokens/{tokenizer}/test.bin", tokenizer=FLOW.parts.recurrent_tokenizers),
    output:
        record="results/{study}/diagnostics/gradients/gradients.json",
        table="results/{study}/diagnostics/gradients/gradients.csv",
        gradients_svg=report(
            "results/{study}/diagnostics/gradients/gradients.svg",
            caption="../report/gradients.rst",
            category="Gradient lab",
            labels={"shows": "gradients through time"},
        ),
        gradients_png="results/{study}/diagnostics/gradients/gradients.png",
        jacobian_svg=report(
            "results/{study}/diagnostics/gradients/jacobian.svg",
            caption="../report/jacobian.rst",
            category="Gradient lab",
            labels={"shows": "what one step stretches"},
        ),
        jacobian_png="results/{study}/diagnostics/gradients/jacobian.png",
        gates_svg=report(
            "results/{study}/diagnostics/gradients/gates.svg",
            caption="../report/gates.rst",
            category="Gradient lab",
            labels={"shows": "gates, shut and open"},
        ),
        gates_png="results/{study}/diagnostics/gradients/gates.png",
        clipping_svg=report(
            "results/{study}/diagnostics/gradients/clipping.svg",
            caption="../report/clipping.rst",
            category="Gradient lab",
            labels={"shows": "an explosion, and clipping"},
        ),
        clipping_png="results/{study}/diagnostics/gradients/clipping.png",
    log:
        "logs/measure_gradients/{study}.log",
    benchmark:
        "logs/measure_gradients/{study}.tsv"
    conda:
        "../../environment.yml"
    params:
        spec=lambda wildcards: FLOW.spec("measure_gradients"),
        code=FLOW.code("measure_gradients"),
    shell:
        "python -m nextchapter.stages.measure_gradients --spec {params.spec:q} --code {params.code} --threads {threads}"
        " --models {input.models:q} --facts {input.facts:q} --train-tokens {input.train:q} --test-tokens {input.test:q}"
        " --record {output.record:q} --table {output.table:q}"
        " --gradients-svg {output.gradients_svg:q} --gradients-png {output.gradients_png:q}"
        " --jacobian-svg {output.jacobian_svg:q} --jacobian-png {output.jacobian_png:q}"
        " --gates-svg {output.gates_svg:q} --gates-png {output.gates_png:q}"
        " --clipping-svg {output.clipping_svg:q} --clipping-png {output.clipping_png:q} --log {log:q}"


rule draw_neurons:
    input:
        model="results/{study}/runs/{run}/model.safetensors",
        facts=FLOW.tokens_of("tokens.json"),
        tokenizer=FLOW.tokens_of("tokenizer.model"),
        test=FLOW.tokens_of("test.bin"),
    output:
        neurons_svg=report(
            "results/{study}/runs/{run}/neurons.svg",
            caption="../report/neurons.rst",
            category="Gradient lab",
            labels={"run": "{run}", "shows": "units along a passage"},
        ),
        neurons_png="results/{study}/runs/{run}/neurons.png",
        path_svg=report(
            "results/{study}/runs/{run}/state-path.svg",
            caption="../report/state-path.rst",
            category="Gradient lab",
            labels={"run": "{run}", "shows": "the state through a sentence"},
        ),
        path_png="results/{study}/runs/{run}/state-path.png",
    log:
        "logs/draw_neurons/{study}/{run}.log",
    benchmark:
        "logs/draw_neurons/{study}/{run}.tsv"
    conda:
        "../../environment.yml"
    params:
        spec=lambda wildcards: FLOW.spec("draw_neurons", wildcards.run),
        code=lambda wildcards: FLOW.code("draw_neurons", wildcards.run),
    shell:
        "python -m nextchapter.stages.draw_neurons --spec {params.spec:q} --code {params.code} --threads {threads}"
        " --model {input.model:q} --facts {input.facts:q} --tokenizer {input.tokenizer:q} --test-tokens {input.test:q}"
        " --neurons-svg {output.neurons_svg:q} --neurons-png {output.neurons_png:q}"
        " --path-svg {output.path_svg:q} --path-png {output.path_png:q} --log {log:q}"
