# One run: train, score, write, examine what is written.
#
# in:   results/{study}/tokens/{tokenizer}/ of the run, results/{study}/corpus/
# out:  results/{study}/runs/{run}/


rule train_model:
    input:
        facts=FLOW.tokens_of("tokens.json"),
        train=FLOW.tokens_of("train.bin"),
        valid=FLOW.tokens_of("valid.bin"),
        vectors=FLOW.vectors_of,
        members=FLOW.members_of,
    output:
        model="results/{study}/runs/{run}/model.safetensors",
        events="results/{study}/runs/{run}/events.jsonl",
        provenance="results/{study}/runs/{run}/run.json",
    log:
        "logs/train_model/{study}/{run}.log",
    benchmark:
        "logs/train_model/{study}/{run}.tsv"
    priority: 10
    conda:
        "../../environment.yml"
    threads: lambda wildcards: FLOW.train_threads(wildcards.run)
    resources:
        gpu=lambda wildcards: FLOW.train_gpus(wildcards.run),
    params:
        spec=lambda wildcards: FLOW.spec("train_model", wildcards.run),
        code=lambda wildcards: FLOW.code("train_model", wildcards.run),
    shell:
        "python -m nextchapter.stages.train_model --spec {params.spec:q} --code {params.code} --threads {threads}"
        " --facts {input.facts:q} --train-tokens {input.train:q} --valid-tokens {input.valid:q}"
        " --vectors {input.vectors:q} --members {input.members:q} --model {output.model:q} --events {output.events:q}"
        " --provenance {output.provenance:q} --log {log:q}"


rule evaluate_model:
    input:
        model="results/{study}/runs/{run}/model.safetensors",
        provenance="results/{study}/runs/{run}/run.json",
        facts=FLOW.tokens_of("tokens.json"),
        tokenizer=FLOW.tokens_of("tokenizer.model"),
        valid=FLOW.tokens_of("valid.bin"),
        test=FLOW.tokens_of("test.bin"),
        valid_chapters="results/{study}/corpus/valid.parquet",
        test_chapters="results/{study}/corpus/test.parquet",
        words="results/{study}/corpus/words.parquet",
    output:
        metrics="results/{study}/runs/{run}/metrics.json",
        predictions="results/{study}/runs/{run}/predictions.csv",
        blocks="results/{study}/runs/{run}/blocks.csv",
        profile="results/{study}/runs/{run}/profile.json",
    log:
        "logs/evaluate_model/{study}/{run}.log",
    benchmark:
        "logs/evaluate_model/{study}/{run}.tsv"
    conda:
        "../../environment.yml"
    resources:
        gpu=lambda wildcards: FLOW.gpus(wildcards.run),
    params:
        spec=lambda wildcards: FLOW.spec("evaluate_model", wildcards.run),
        code=lambda wildcards: FLOW.code("evaluate_model", wildcards.run),
    shell:
        "python -m nextchapter.stages.evaluate_model --spec {params.spec:q} --code {params.code} --threads {threads}"
        " --model {input.model:q} --provenance {input.provenance:q} --facts {input.facts:q}"
        " --tokenizer {input.tokenizer:q} --valid-tokens {input.valid:q} --test-tokens {input.test:q}"
        " --valid {input.valid_chapters:q} --test {input.test_chapters:q} --words {input.words:q}"
        " --metrics {output.metrics:q} --predictions {output.predictions:q} --blocks {output.blocks:q}"
        " --profile {output.profile:q} --log {log:q}"


rule write_chapter:
    input:
        model="results/{study}/runs/{run}/model.safetensors",
        provenance="results/{study}/runs/{run}/run.json",
        tokenizer=FLOW.tokens_of("tokenizer.model"),
        train="results/{study}/corpus/train.parquet",
        manifest="results/{study}/corpus/split.csv",
    output:
        chapter="results/{study}/runs/{run}/chapter.md",
        facts="results/{study}/runs/{run}/chapter.json",
    log:
        "logs/write_chapter/{study}/{run}.log",
    benchmark:
        "logs/write_chapter/{study}/{run}.tsv"
    conda:
        "../../environment.yml"
    resources:
        gpu=lambda wildcards: FLOW.gpus(wildcards.run),
    params:
        spec=lambda wildcards: FLOW.spec("write_chapter", wildcards.run),
        code=lambda wildcards: FLOW.code("write_chapter", wildcards.run),
    shell:
        "python -m nextchapter.stages.write_chapter --spec {params.spec:q} --code {params.code} --threads {threads}"
        " --model {input.model:q} --provenance {input.provenance:q} --tokenizer {input.tokenizer:q}"
        " --train {input.train:q} --manifest {input.manifest:q} --chapter {output.chapter:q}"
        " --facts {output.facts:q} --log {log:q}"


# What a model keeps by heart of the sentences planted for that: only where the configuration plants some.
if FLOW.parts.exposures:

    rule measure_exposure:
        input:
            model="results/{study}/runs/{run}/model.safetensors",
            provenance="results/{study}/runs/{run}/run.json",
            tokenizer=FLOW.tokens_of("tokenizer.model"),
            account="results/{study}/corpus/account.json",
        output:
            exposure="results/{study}/runs/{run}/exposure.csv",
        log:
            "logs/measure_exposure/{study}/{run}.log",
        benchmark:
            "logs/measure_exposure/{study}/{run}.tsv"
        conda:
            "../../environment.yml"
        resources:
            gpu=lambda wildcards: FLOW.gpus(wildcards.run),
        params:
            spec=lambda wildcards: FLOW.spec("measure_exposure", wildcards.run),
            code=lambda wildcards: FLOW.code("measure_exposure", wildcards.run),
        shell:
            "python -m nextchapter.stages.measure_exposure --spec {params.spec:q} --code {params.code}"
            " --threads {threads} --model {input.model:q} --provenance {input.provenance:q}"
            " --tokenizer {input.tokenizer:q} --account {input.account:q} --exposure {output.exposure:q} --log {log:q}"


rule examine_chapter:
    input:
        chapter="results/{study}/runs/{run}/chapter.md",
        facts="results/{study}/runs/{run}/chapter.json",
        train="results/{study}/corpus/train.parquet",
        valid="results/{study}/corpus/valid.parquet",
        test="results/{study}/corpus/test.parquet",
        others=FLOW.parts.other_authors,
    output:
        examination="results/{study}/runs/{run}/examination.json",
        curve="results/{study}/runs/{run}/type-token.csv",
    log:
        "logs/examine_chapter/{study}/{run}.log",
    benchmark:
        "logs/examine_chapter/{study}/{run}.tsv"
    conda:
        "../../environment.yml"
    params:
        spec=lambda wildcards: FLOW.spec("examine_chapter", wildcards.run),
        code=FLOW.code("examine_chapter"),
    shell:
        "python -m nextchapter.stages.examine_chapter --spec {params.spec:q} --code {params.code}"
        " --chapter {input.chapter:q} --facts {input.facts:q} --train {input.train:q} --valid {input.valid:q}"
        " --test {input.test:q} --others {input.others:q} --examination {output.examination:q}"
        " --curve {output.curve:q} --log {log:q}"
