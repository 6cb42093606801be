# What MLflow shows: an experiment a study, a parent run of that name, a child a run. Nothing reads it back.
#
# in:   all that a run and a study have made
# out:  results/{study}/mlflow.json, {runs/{run},embeddings/{embedding}}/mlflow.json, mlflow-study.json,
#       mlflow-model.json, and the store itself
#
# A store that is out of reach stops nothing: the record counts the failure, and that count, a part of the spec, makes
# the rule run again on the next call.


# The first job of all. Nothing names its record as an input: a job behind an `ancient()` input is passed over, changed
# or not, whenever that input is made anew. Whoever comes before it makes the store under the same lock.
rule create_experiment:
    output:
        record="results/{study}/mlflow.json",
    log:
        "logs/create_experiment/{study}.log",
    benchmark:
        "logs/create_experiment/{study}.tsv"
    priority: 100
    localrule: True
    conda:
        "../../environment.yml"
    params:
        spec=lambda wildcards: FLOW.spec("create_experiment"),
        code=FLOW.code("create_experiment"),
    shell:
        "python -m nextchapter.stages.create_experiment --spec {params.spec:q} --code {params.code}"
        " --record {output.record:q} --log {log:q}"


rule track_run:
    input:
        provenance="results/{study}/runs/{run}/run.json",
        events="results/{study}/runs/{run}/events.jsonl",
        metrics="results/{study}/runs/{run}/metrics.json",
        model="results/{study}/runs/{run}/model.safetensors",
        chapter="results/{study}/runs/{run}/chapter.md",
        chapter_facts="results/{study}/runs/{run}/chapter.json",
        predictions="results/{study}/runs/{run}/predictions.csv",
        examination="results/{study}/runs/{run}/examination.json",
        blocks="results/{study}/runs/{run}/blocks.csv",
        profile="results/{study}/runs/{run}/profile.json",
        figure="results/{study}/runs/{run}/network.png",
        tokens=FLOW.tokens_of("tokens.json"),
        tokenizer=FLOW.tokens_of("tokenizer.model"),
    output:
        record="results/{study}/runs/{run}/mlflow.json",
    log:
        "logs/track_run/{study}/{run}.log",
    benchmark:
        "logs/track_run/{study}/{run}.tsv"
    conda:
        "../../environment.yml"
    params:
        spec=lambda wildcards: FLOW.spec("track_run", wildcards.run),
        code=FLOW.code("track_run"),
    shell:
        "python -m nextchapter.stages.track_run --spec {params.spec:q} --code {params.code}"
        " --provenance {input.provenance:q} --events {input.events:q}"
        " --metrics {input.metrics:q} --model {input.model:q} --chapter {input.chapter:q}"
        " --chapter-facts {input.chapter_facts:q} --predictions {input.predictions:q} --blocks {input.blocks:q}"
        " --profile {input.profile:q} --examination {input.examination:q} --figures {input.figure:q}"
        " --tokens {input.tokens:q} --tokenizer-model {input.tokenizer:q} --record {output.record:q} --log {log:q}"


rule track_embedding:
    input:
        embedding="results/{study}/embeddings/{embedding}/embedding.json",
        scores="results/{study}/embeddings/{embedding}/scores.json",
        vectors="results/{study}/embeddings/{embedding}/vectors.safetensors",
        texts=[
            "results/{study}/embeddings/{embedding}/vectors.txt",
            "results/{study}/embeddings/{embedding}/vocabulary.json",
            "results/{study}/embeddings/{embedding}/neighbours.csv",
        ],
        figure="results/{study}/embeddings/{embedding}/map.png",
    output:
        record="results/{study}/embeddings/{embedding}/mlflow.json",
    log:
        "logs/track_embedding/{study}/{embedding}.log",
    benchmark:
        "logs/track_embedding/{study}/{embedding}.tsv"
    conda:
        "../../environment.yml"
    params:
        spec=lambda wildcards: FLOW.spec("track_embedding", wildcards.embedding),
        code=FLOW.code("track_embedding"),
    shell:
        "python -m nextchapter.stages.track_embedding --spec {params.spec:q} --code {params.code}"
        " --embedding {input.embedding:q} --scores {input.scores:q} --vectors {input.vectors:q}"
        " --texts {input.texts:q} --figures {input.figure:q} --record {output.record:q} --log {log:q}"


rule track_study:
    input:
        leaderboard="results/{study}/leaderboard.csv",
        comparisons="results/{study}/comparisons.csv",
        chapter="results/{study}/next-chapter.md",
        quality="results/{study}/corpus/quality.json",
        split="results/{study}/corpus/split.csv",
        figures=[
            "results/{study}/figures/learning-curves.png",
            "results/{study}/figures/leaderboard.png",
            "results/{study}/figures/style.png",
            "results/{study}/figures/type-token.png",
            "results/{study}/figures/calibration.png",
            "results/{study}/figures/losses.png",
            "results/{study}/figures/costs.png",
            "results/{study}/chapters.html",
            "results/{study}/report/index.html",
            "results/{study}/corpus/quality.html",
            *FLOW.parts.memory_pages,
            *expand("results/{{study}}/searches/{search}.{kind}", search=FLOW.study.searches, kind=["csv", "png"]),
            *FLOW.parts.exposures,
            *FLOW.parts.data_size_pages,
            *FLOW.parts.task_pages,
            *FLOW.parts.gradient_figures,
        ],
        records=expand("results/{{study}}/runs/{run}/mlflow.json", run=FLOW.runs),
    output:
        record="results/{study}/mlflow-study.json",
    log:
        "logs/track_study/{study}.log",
    benchmark:
        "logs/track_study/{study}.tsv"
    conda:
        "../../environment.yml"
    params:
        spec=lambda wildcards: FLOW.spec("track_study"),
        code=FLOW.code("track_study"),
    shell:
        "python -m nextchapter.stages.track_study --spec {params.spec:q} --code {params.code}"
        " --leaderboard {input.leaderboard:q} --comparisons {input.comparisons:q}"
        " --chapter {input.chapter:q} --quality {input.quality:q}"
        " --split {input.split:q} --figures {input.figures:q} --records {input.records:q}"
        " --record {output.record:q} --log {log:q}"


rule register_champion:
    input:
        champion="results/{study}/champion.json",
        account="results/{study}/corpus/account.json",
        models=expand("results/{{study}}/runs/{run}/model.safetensors", run=FLOW.runs),
        tokenizers=FLOW.tokenizers_of_runs,
        provenance=expand("results/{{study}}/runs/{run}/run.json", run=FLOW.runs),
        metrics=expand("results/{{study}}/runs/{run}/metrics.json", run=FLOW.runs),
        examinations=expand("results/{{study}}/runs/{run}/examination.json", run=FLOW.runs),
        records=expand("results/{{study}}/runs/{run}/mlflow.json", run=FLOW.runs),
    output:
        record="results/{study}/mlflow-model.json",
    log:
        "logs/register_champion/{study}.log",
    benchmark:
        "logs/register_champion/{study}.tsv"
    conda:
        "../../environment.yml"
    params:
        spec=lambda wildcards: FLOW.spec("register_champion"),
        code=FLOW.code("register_champion"),
    shell:
        "python -m nextchapter.stages.register_champion --spec {params.spec:q} --code {params.code}"
        " --champion {input.champion:q} --account {input.account:q} --models {input.models:q}"
        " --tokenizers {input.tokenizers:q} --provenance {input.provenance:q} --metrics {input.metrics:q}"
        " --examinations {input.examinations:q} --records {input.records:q} --record {output.record:q} --log {log:q}"
