# From chapters to memory-mapped token files.
#
# in:   results/{study}/corpus/{train,valid,test}.parquet
# out:  results/{study}/tokens/{tokenizer}/
#
# Both rules may be shared between workflows (--cache); Snakemake allows such a rule no benchmark file.


rule train_tokenizer:
    input:
        train="results/{study}/corpus/train.parquet",
    output:
        tokenizer="results/{study}/tokens/{tokenizer}/tokenizer.model",
    log:
        "logs/train_tokenizer/{study}/{tokenizer}.log",
    cache: True
    conda:
        "../../environment.yml"
    params:
        spec=lambda wildcards: FLOW.spec("train_tokenizer", wildcards.tokenizer),
        code=lambda wildcards: FLOW.code("train_tokenizer", wildcards.tokenizer),
    shell:
        "python -m nextchapter.stages.train_tokenizer --spec {params.spec:q} --code {params.code}"
        " --train {input.train:q} --tokenizer {output.tokenizer:q} --log {log:q}"


rule encode_corpus:
    input:
        tokenizer="results/{study}/tokens/{tokenizer}/tokenizer.model",
        train="results/{study}/corpus/train.parquet",
        valid="results/{study}/corpus/valid.parquet",
        test="results/{study}/corpus/test.parquet",
    output:
        multiext(
            "results/{study}/tokens/{tokenizer}/",
            facts="tokens.json",
            train="train.bin",
            valid="valid.bin",
            test="test.bin",
            train_offsets="train.offsets.bin",
            valid_offsets="valid.offsets.bin",
            test_offsets="test.offsets.bin",
        ),
    log:
        "logs/encode_corpus/{study}/{tokenizer}.log",
    cache: True
    conda:
        "../../environment.yml"
    threads: 4
    params:
        spec=lambda wildcards: FLOW.spec("encode_corpus", wildcards.tokenizer),
        code=lambda wildcards: FLOW.code("encode_corpus", wildcards.tokenizer),
    shell:
        "python -m nextchapter.stages.encode_corpus --spec {params.spec:q} --code {params.code} --threads {threads}"
        " --tokenizer {input.tokenizer:q} --train {input.train:q} --valid {input.valid:q} --test {input.test:q}"
        " --facts {output.facts:q} --train-tokens {output.train:q} --valid-tokens {output.valid:q}"
        " --test-tokens {output.test:q} --train-offsets {output.train_offsets:q}"
        " --valid-offsets {output.valid_offsets:q} --test-offsets {output.test_offsets:q} --log {log:q}"
