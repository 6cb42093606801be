# From books and runs to what a person reads: the account of the shelf, leaderboard, figures, chapters.
#
# in:   results/{study}/corpus/account.json, results/{study}/runs/{run}/
# out:  results/{study}/report/index.html, corpus/quality.json, quality.html, leaderboard.csv, next-chapter.md,
#       chapters.html, figures/, runs/{run}/network.svg, runs/{run}/states.svg


# It writes quality.json too, and not split_corpus, which a picture laid beside the books would else run again.
rule render_quality:
    input:
        account="results/{study}/corpus/account.json",
    output:
        quality="results/{study}/corpus/quality.json",
        html=report(
            "results/{study}/corpus/quality.html",
            caption="../report/quality.rst",
            category="Books",
        ),
    log:
        "logs/render_quality/{study}.log",
    benchmark:
        "logs/render_quality/{study}.tsv"
    conda:
        "../../environment.yml"
    params:
        spec=lambda wildcards: FLOW.spec("render_quality"),
        code=FLOW.code("render_quality"),
    shell:
        "python -m nextchapter.stages.render_quality --spec {params.spec:q} --code {params.code}"
        " --account {input.account:q} --quality {output.quality:q} --html {output.html:q} --log {log:q}"


rule compare_runs:
    input:
        provenance=expand("results/{{study}}/runs/{run}/run.json", run=FLOW.runs),
        metrics=expand("results/{{study}}/runs/{run}/metrics.json", run=FLOW.runs),
        examinations=expand("results/{{study}}/runs/{run}/examination.json", run=FLOW.runs),
        blocks=expand("results/{{study}}/runs/{run}/blocks.csv", run=FLOW.runs),
    output:
        leaderboard=report(
            "results/{study}/leaderboard.csv",
            caption="../report/leaderboard.rst",
            category="Leaderboard",
        ),
        configurations="results/{study}/configurations.csv",
        champion="results/{study}/champion.json",
        comparisons="results/{study}/comparisons.csv",
    log:
        "logs/compare_runs/{study}.log",
    benchmark:
        "logs/compare_runs/{study}.tsv"
    conda:
        "../../environment.yml"
    params:
        spec=lambda wildcards: FLOW.spec("compare_runs"),
        code=FLOW.code("compare_runs"),
    shell:
        "python -m nextchapter.stages.compare_runs --spec {params.spec:q} --code {params.code}"
        " --provenance {input.provenance:q} --metrics {input.metrics:q} --blocks {input.blocks:q}"
        " --examinations {input.examinations:q}"
        " --leaderboard {output.leaderboard:q} --configurations {output.configurations:q}"
        " --champion {output.champion:q} --comparisons {output.comparisons:q} --log {log:q}"


rule compare_chapters:
    input:
        examinations=expand("results/{{study}}/runs/{run}/examination.json", run=FLOW.runs),
        curves=expand("results/{{study}}/runs/{run}/type-token.csv", run=FLOW.runs),
        provenance=expand("results/{{study}}/runs/{run}/run.json", run=FLOW.runs),
    output:
        chapters=report(
            "results/{study}/chapters.csv",
            caption="../report/chapters-table.rst",
            category="The next chapter",
        ),
        style_svg=report(
            "results/{study}/figures/style.svg",
            caption="../report/style.rst",
            category="The next chapter",
        ),
        style_png="results/{study}/figures/style.png",
        growth_svg=report(
            "results/{study}/figures/type-token.svg",
            caption="../report/type-token.rst",
            category="The next chapter",
        ),
        growth_png="results/{study}/figures/type-token.png",
    log:
        "logs/compare_chapters/{study}.log",
    benchmark:
        "logs/compare_chapters/{study}.tsv"
    conda:
        "../../environment.yml"
    params:
        spec=lambda wildcards: FLOW.spec("compare_chapters"),
        code=FLOW.code("compare_chapters"),
    shell:
        "python -m nextchapter.stages.compare_chapters --spec {params.spec:q} --code {params.code}"
        " --examinations {input.examinations:q} --curves {input.curves:q} --provenance {input.provenance:q}"
        " --chapters {output.chapters:q} --style-svg {output.style_svg:q} --style-png {output.style_png:q}"
        " --growth-svg {output.growth_svg:q} --growth-png {output.growth_png:q} --log {log:q}"


if FLOW.parts.exposures:

    rule plot_exposure:
        input:
            exposures=expand("results/{{study}}/runs/{run}/exposure.csv", run=FLOW.runs),
        output:
            csv="results/{study}/exposure.csv",
            svg=report(
                "results/{study}/figures/exposure.svg",
                caption="../report/exposure.rst",
                category="What is known by heart",
            ),
            png="results/{study}/figures/exposure.png",
        log:
            "logs/plot_exposure/{study}.log",
        benchmark:
            "logs/plot_exposure/{study}.tsv"
        conda:
            "../../environment.yml"
        params:
            spec=lambda wildcards: FLOW.spec("plot_exposure"),
            code=FLOW.code("plot_exposure"),
        shell:
            "python -m nextchapter.stages.plot_exposure --spec {params.spec:q} --code {params.code}"
            " --exposures {input.exposures:q} --csv {output.csv:q} --svg {output.svg:q} --png {output.png:q} --log {log:q}"


rule choose_chapter:
    input:
        champion="results/{study}/champion.json",
        chapters=expand("results/{{study}}/runs/{run}/chapter.md", run=FLOW.runs),
    output:
        next_chapter="results/{study}/next-chapter.md",
    log:
        "logs/choose_chapter/{study}.log",
    benchmark:
        "logs/choose_chapter/{study}.tsv"
    conda:
        "../../environment.yml"
    params:
        spec=lambda wildcards: FLOW.spec("choose_chapter"),
        code=FLOW.code("choose_chapter"),
    shell:
        "python -m nextchapter.stages.choose_chapter --spec {params.spec:q} --code {params.code}"
        " --champion {input.champion:q} --chapters {input.chapters:q}"
        " --next-chapter {output.next_chapter:q} --log {log:q}"


rule plot_curves:
    input:
        events=expand("results/{{study}}/runs/{run}/events.jsonl", run=FLOW.runs),
        provenance=expand("results/{{study}}/runs/{run}/run.json", run=FLOW.runs),
    output:
        svg=report(
            "results/{study}/figures/learning-curves.svg",
            caption="../report/learning-curves.rst",
            category="Learning curves",
        ),
        png="results/{study}/figures/learning-curves.png",
        csv="results/{study}/figures/learning-curves.csv",
    log:
        "logs/plot_curves/{study}.log",
    benchmark:
        "logs/plot_curves/{study}.tsv"
    conda:
        "../../environment.yml"
    params:
        spec=lambda wildcards: FLOW.spec("plot_curves"),
        code=FLOW.code("plot_curves"),
    shell:
        "python -m nextchapter.stages.plot_curves --spec {params.spec:q} --code {params.code}"
        " --events {input.events:q} --provenance {input.provenance:q}"
        " --svg {output.svg:q} --png {output.png:q} --csv {output.csv:q} --log {log:q}"


rule plot_data_size:
    input:
        provenance=expand("results/{{study}}/runs/{run}/run.json", run=FLOW.runs),
        metrics=expand("results/{{study}}/runs/{run}/metrics.json", run=FLOW.runs),
    output:
        csv="results/{study}/figures/data-size.csv",
        svg=report(
            "results/{study}/figures/data-size.svg",
            caption="../report/data-size.rst",
            category="How much data",
        ),
        png="results/{study}/figures/data-size.png",
    log:
        "logs/plot_data_size/{study}.log",
    benchmark:
        "logs/plot_data_size/{study}.tsv"
    conda:
        "../../environment.yml"
    params:
        spec=lambda wildcards: FLOW.spec("plot_data_size"),
        code=FLOW.code("plot_data_size"),
    shell:
        "python -m nextchapter.stages.plot_data_size --spec {params.spec:q} --code {params.code}"
        " --provenance {input.provenance:q} --metrics {input.metrics:q}"
        " --csv {output.csv:q} --svg {output.svg:q} --png {output.png:q} --log {log:q}"


rule plot_leaderboard:
    input:
        leaderboard="results/{study}/leaderboard.csv",
    output:
        svg=report(
            "results/{study}/figures/leaderboard.svg",
            caption="../report/leaderboard.rst",
            category="Leaderboard",
        ),
        png="results/{study}/figures/leaderboard.png",
        html=report(
            "results/{study}/leaderboard.html",
            caption="../report/leaderboard.rst",
            category="Leaderboard",
        ),
    log:
        "logs/plot_leaderboard/{study}.log",
    benchmark:
        "logs/plot_leaderboard/{study}.tsv"
    conda:
        "../../environment.yml"
    params:
        spec=lambda wildcards: FLOW.spec("plot_leaderboard"),
        code=FLOW.code("plot_leaderboard"),
    shell:
        "python -m nextchapter.stages.plot_leaderboard --spec {params.spec:q} --code {params.code}"
        " --leaderboard {input.leaderboard:q} --svg {output.svg:q} --png {output.png:q} --html {output.html:q}"
        " --log {log:q}"


rule plot_costs:
    input:
        leaderboard="results/{study}/leaderboard.csv",
        provenance=expand("results/{{study}}/runs/{run}/run.json", run=FLOW.runs),
    output:
        svg=report(
            "results/{study}/figures/costs.svg",
            caption="../report/costs.rst",
            category="Leaderboard",
        ),
        png="results/{study}/figures/costs.png",
        csv="results/{study}/figures/costs.csv",
    log:
        "logs/plot_costs/{study}.log",
    benchmark:
        "logs/plot_costs/{study}.tsv"
    conda:
        "../../environment.yml"
    params:
        spec=lambda wildcards: FLOW.spec("plot_costs"),
        code=FLOW.code("plot_costs"),
    shell:
        "python -m nextchapter.stages.plot_costs --spec {params.spec:q} --code {params.code}"
        " --leaderboard {input.leaderboard:q} --provenance {input.provenance:q}"
        " --svg {output.svg:q} --png {output.png:q} --csv {output.csv:q} --log {log:q}"


rule plot_judgement:
    input:
        leaderboard="results/{study}/leaderboard.csv",
        profiles=expand("results/{{study}}/runs/{run}/profile.json", run=FLOW.runs),
    output:
        calibration_svg=report(
            "results/{study}/figures/calibration.svg",
            caption="../report/calibration.rst",
            category="Leaderboard",
        ),
        calibration_png="results/{study}/figures/calibration.png",
        losses_svg=report(
            "results/{study}/figures/losses.svg",
            caption="../report/losses.rst",
            category="Leaderboard",
        ),
        losses_png="results/{study}/figures/losses.png",
        losses_csv="results/{study}/figures/losses.csv",
    log:
        "logs/plot_judgement/{study}.log",
    benchmark:
        "logs/plot_judgement/{study}.tsv"
    conda:
        "../../environment.yml"
    params:
        spec=lambda wildcards: FLOW.spec("plot_judgement"),
        code=FLOW.code("plot_judgement"),
    shell:
        "python -m nextchapter.stages.plot_judgement --spec {params.spec:q} --code {params.code}"
        " --leaderboard {input.leaderboard:q} --profiles {input.profiles:q}"
        " --calibration-svg {output.calibration_svg:q} --calibration-png {output.calibration_png:q}"
        " --losses-svg {output.losses_svg:q} --losses-png {output.losses_png:q}"
        " --losses-csv {output.losses_csv:q} --log {log:q}"


rule draw_network:
    input:
        provenance="results/{study}/runs/{run}/run.json",
        predictions="results/{study}/runs/{run}/predictions.csv",
    output:
        svg=report(
            "results/{study}/runs/{run}/network.svg",
            caption="../report/network.rst",
            category="Networks, unfolded in time",
            labels={"run": "{run}"},
        ),
        png="results/{study}/runs/{run}/network.png",
    log:
        "logs/draw_network/{study}/{run}.log",
    benchmark:
        "logs/draw_network/{study}/{run}.tsv"
    conda:
        "../../environment.yml"
    params:
        spec=lambda wildcards: FLOW.spec("draw_network"),
        code=FLOW.code("draw_network"),
    shell:
        "python -m nextchapter.stages.draw_network --spec {params.spec:q} --code {params.code}"
        " --provenance {input.provenance:q} --predictions {input.predictions:q}"
        " --svg {output.svg:q} --png {output.png:q} --log {log:q}"


rule describe_states:
    input:
        model="results/{study}/runs/{run}/model.safetensors",
        facts=FLOW.tokens_of("tokens.json"),
        tokenizer=FLOW.tokens_of("tokenizer.model"),
        test=FLOW.tokens_of("test.bin"),
    output:
        states=report(
            "results/{study}/runs/{run}/states.csv",
            caption="../report/states-table.rst",
            category="Hidden states",
            labels={"run": "{run}", "shows": "the most frequent states"},
        ),
        tokens="results/{study}/runs/{run}/state-tokens.csv",
        labels="results/{study}/runs/{run}/state-labels.csv",
        states_svg=report(
            "results/{study}/runs/{run}/states.svg",
            caption="../report/states.rst",
            category="Hidden states",
            labels={"run": "{run}", "shows": "a passage and its states"},
        ),
        states_png="results/{study}/runs/{run}/states.png",
        posteriors_svg=report(
            "results/{study}/runs/{run}/posteriors.svg",
            caption="../report/posteriors.rst",
            category="Hidden states",
            labels={"run": "{run}", "shows": "what it believes"},
        ),
        posteriors_png="results/{study}/runs/{run}/posteriors.png",
    log:
        "logs/describe_states/{study}/{run}.log",
    benchmark:
        "logs/describe_states/{study}/{run}.tsv"
    conda:
        "../../environment.yml"
    params:
        spec=lambda wildcards: FLOW.spec("describe_states", wildcards.run),
        code=lambda wildcards: FLOW.code("describe_states", wildcards.run),
    shell:
        "python -m nextchapter.stages.describe_states --spec {params.spec:q} --code {params.code} --threads {threads}"
        " --model {input.model:q} --facts {input.facts:q} --tokenizer {input.tokenizer:q} --test-tokens {input.test:q}"
        " --states {output.states:q} --tokens {output.tokens:q} --labels {output.labels:q}"
        " --states-svg {output.states_svg:q} --states-png {output.states_png:q}"
        " --posteriors-svg {output.posteriors_svg:q} --posteriors-png {output.posteriors_png:q} --log {log:q}"


rule render_chapters:
    input:
        chapters=expand("results/{{study}}/runs/{run}/chapter.md", run=FLOW.runs),
        facts=expand("results/{{study}}/runs/{run}/chapter.json", run=FLOW.runs),
        predictions=expand("results/{{study}}/runs/{run}/predictions.csv", run=FLOW.runs),
        examinations=expand("results/{{study}}/runs/{run}/examination.json", run=FLOW.runs),
        leaderboard="results/{study}/leaderboard.csv",
        next_chapter="results/{study}/next-chapter.md",
    output:
        html=report(
            "results/{study}/chapters.html",
            caption="../report/chapters.rst",
            category="The next chapter",
        ),
    log:
        "logs/render_chapters/{study}.log",
    benchmark:
        "logs/render_chapters/{study}.tsv"
    conda:
        "../../environment.yml"
    params:
        spec=lambda wildcards: FLOW.spec("render_chapters"),
        code=FLOW.code("render_chapters"),
    shell:
        "python -m nextchapter.stages.render_chapters --spec {params.spec:q} --code {params.code}"
        " --chapters {input.chapters:q} --facts {input.facts:q} --predictions {input.predictions:q}"
        " --examinations {input.examinations:q} --leaderboard {input.leaderboard:q} --next-chapter {input.next_chapter:q}"
        " --html {output.html:q} --log {log:q}"


# The stage finds these files by itself: with hundreds of runs, all their names are longer than a command line may be.
rule write_report:
    input:
        tables=expand(
            "results/{{study}}/{name}",
            name=["leaderboard.csv", "next-chapter.md", "corpus/quality.json", "figures/costs.csv"],
        ),
        figures=expand(
            "results/{{study}}/figures/{name}.svg",
            name=["leaderboard", "learning-curves", "costs", "calibration", "losses", "style", "type-token"],
        ),
        runs=expand(
            "results/{{study}}/runs/{run}/{name}",
            run=FLOW.runs,
            name=[
                "run.json",
                "chapter.md",
                "chapter.json",
                "predictions.csv",
                "examination.json",
                "profile.json",
                "network.svg",
            ],
        ),
        parts=FLOW.parts.report_files,
    output:
        html="results/{study}/report/index.html",
    log:
        "logs/write_report/{study}.log",
    benchmark:
        "logs/write_report/{study}.tsv"
    conda:
        "../../environment.yml"
    params:
        spec=lambda wildcards: FLOW.spec("write_report"),
        code=FLOW.code("write_report"),
        results=lambda wildcards, output: Path(output.html).parents[1],
    shell:
        "python -m nextchapter.stages.write_report --spec {params.spec:q} --code {params.code}"
        " --results {params.results:q} --html {output.html:q} --log {log:q}"
