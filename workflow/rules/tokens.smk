# From chapters to memory-mapped token files.
#
# in:   results/{study}/corpus/{train,valid,test}.parquet
# out:  results/{study}/tokens/{tokenizer}/


rule train_tokenizer:
    input:
        train="results/{study}/corpus/train.parquet",
    output:
        tokenizer="results/{study}/tokens/{tokenizer}/tokenizer.model",
    params:
        spec=lambda wildcards: FLOW.spec("train_tokenizer", wildcards.tokenizer),
        code=FLOW.code("train_tokenizer"),
    log:
        "logs/train_tokenizer/{study}/{tokenizer}.log",
    benchmark:
        "logs/train_tokenizer/{study}/{tokenizer}.tsv"
    cache: True
    conda:
        "../../environment.yml"
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
        facts="results/{study}/tokens/{tokenizer}/tokens.json",
        train="results/{study}/tokens/{tokenizer}/train.bin",
        valid="results/{study}/tokens/{tokenizer}/valid.bin",
        test="results/{study}/tokens/{tokenizer}/test.bin",
        train_offsets="results/{study}/tokens/{tokenizer}/train.offsets.bin",
        valid_offsets="results/{study}/tokens/{tokenizer}/valid.offsets.bin",
        test_offsets="results/{study}/tokens/{tokenizer}/test.offsets.bin",
    params:
        spec=lambda wildcards: FLOW.spec("encode_corpus", wildcards.tokenizer),
        code=FLOW.code("encode_corpus"),
    log:
        "logs/encode_corpus/{study}/{tokenizer}.log",
    benchmark:
        "logs/encode_corpus/{study}/{tokenizer}.tsv"
    conda:
        "../../environment.yml"
    shell:
        "python -m nextchapter.stages.encode_corpus --spec {params.spec:q} --code {params.code}"
        " --tokenizer {input.tokenizer:q} --train {input.train:q} --valid {input.valid:q} --test {input.test:q}"
        " --facts {output.facts:q} --train-tokens {output.train:q} --valid-tokens {output.valid:q}"
        " --test-tokens {output.test:q} --train-offsets {output.train_offsets:q}"
        " --valid-offsets {output.valid_offsets:q} --test-offsets {output.test_offsets:q} --log {log:q}"
