# Vectors of tokens, learned apart from any language model; a run may start from them.
#
# in:   results/{study}/tokens/{tokenizer}/ of the embedding
# out:  results/{study}/embeddings/{embedding}/
#
# What is counted and learned may be shared between workflows (--cache); Snakemake allows such a rule no benchmark file.


rule count_cooccurrences:
    input:
        facts=FLOW.tokens_behind("tokens.json"),
        train=FLOW.tokens_behind("train.bin"),
        offsets=FLOW.tokens_behind("train.offsets.bin"),
    output:
        cooccurrences="results/{study}/embeddings/{embedding}/cooccurrences.bin",
    log:
        "logs/count_cooccurrences/{study}/{embedding}.log",
    cache: True
    conda:
        "../../environment.yml"
    params:
        spec=lambda wildcards: FLOW.spec("count_cooccurrences", wildcards.embedding),
        code=FLOW.code("count_cooccurrences"),
    shell:
        "python -m nextchapter.stages.count_cooccurrences --spec {params.spec:q} --code {params.code}"
        " --facts {input.facts:q} --train-tokens {input.train:q} --cooccurrences {output.cooccurrences:q} --log {log:q}"


rule train_embedding:
    input:
        facts=FLOW.tokens_behind("tokens.json"),
        train=FLOW.tokens_behind("train.bin"),
        offsets=FLOW.tokens_behind("train.offsets.bin"),
        cooccurrences=FLOW.cooccurrences_of,
    output:
        multiext(
            "results/{study}/embeddings/{embedding}/",
            vectors="vectors.safetensors",
            embedding="embedding.json",
        ),
    log:
        "logs/train_embedding/{study}/{embedding}.log",
    cache: True
    conda:
        "../../environment.yml"
    threads: FLOW.threads_of
    params:
        spec=lambda wildcards: FLOW.spec("train_embedding", wildcards.embedding),
        code=lambda wildcards: FLOW.code("train_embedding", wildcards.embedding),
    shell:
        "python -m nextchapter.stages.train_embedding --spec {params.spec:q} --code {params.code} --threads {threads}"
        " --facts {input.facts:q} --train-tokens {input.train:q} --cooccurrences {input.cooccurrences:q}"
        " --vectors {output.vectors:q} --embedding {output.embedding:q} --log {log:q}"


rule evaluate_embedding:
    input:
        facts=FLOW.tokens_behind("tokens.json"),
        train=FLOW.tokens_behind("train.bin"),
        offsets=FLOW.tokens_behind("train.offsets.bin"),
        tokenizer=FLOW.tokens_behind("tokenizer.model"),
        vectors="results/{study}/embeddings/{embedding}/vectors.safetensors",
    output:
        scores="results/{study}/embeddings/{embedding}/scores.json",
        neighbours="results/{study}/embeddings/{embedding}/neighbours.csv",
        vocabulary="results/{study}/embeddings/{embedding}/vocabulary.json",
        text="results/{study}/embeddings/{embedding}/vectors.txt",
    log:
        "logs/evaluate_embedding/{study}/{embedding}.log",
    benchmark:
        "logs/evaluate_embedding/{study}/{embedding}.tsv"
    conda:
        "../../environment.yml"
    params:
        spec=lambda wildcards: FLOW.spec("evaluate_embedding", wildcards.embedding),
        code=lambda wildcards: FLOW.code("evaluate_embedding", wildcards.embedding),
    shell:
        "python -m nextchapter.stages.evaluate_embedding --spec {params.spec:q} --code {params.code}"
        " --facts {input.facts:q} --tokenizer {input.tokenizer:q} --train-tokens {input.train:q}"
        " --vectors {input.vectors:q} --scores {output.scores:q} --neighbours {output.neighbours:q}"
        " --vocabulary {output.vocabulary:q} --text {output.text:q} --log {log:q}"


rule plot_embedding:
    input:
        facts=FLOW.tokens_behind("tokens.json"),
        train=FLOW.tokens_behind("train.bin"),
        offsets=FLOW.tokens_behind("train.offsets.bin"),
        vectors="results/{study}/embeddings/{embedding}/vectors.safetensors",
        vocabulary="results/{study}/embeddings/{embedding}/vocabulary.json",
    output:
        svg=report(
            "results/{study}/embeddings/{embedding}/map.svg",
            caption="../report/embedding.rst",
            category="Embeddings",
            labels={"embedding": "{embedding}"},
        ),
        png="results/{study}/embeddings/{embedding}/map.png",
    log:
        "logs/plot_embedding/{study}/{embedding}.log",
    benchmark:
        "logs/plot_embedding/{study}/{embedding}.tsv"
    conda:
        "../../environment.yml"
    params:
        spec=lambda wildcards: FLOW.spec("plot_embedding", wildcards.embedding),
        code=FLOW.code("plot_embedding"),
    shell:
        "python -m nextchapter.stages.plot_embedding --spec {params.spec:q} --code {params.code}"
        " --facts {input.facts:q} --train-tokens {input.train:q} --vectors {input.vectors:q}"
        " --vocabulary {input.vocabulary:q} --svg {output.svg:q} --png {output.png:q} --log {log:q}"
