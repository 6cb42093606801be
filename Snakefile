# nextchapter: a shelf of books in, recurrent language models and the next chapter out.
#
#   snakemake --cores 2                                   the study of config/config.yaml
#   snakemake --cores 2 --config books=FOLDER   the same study of your own books
#
# What the rules need to know stands in nextchapter.flow, which checks the whole configuration before any job starts.

import sys

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger
from snakemake.utils import min_version

from nextchapter.flow import CHATTER, Flow
from nextchapter.spec.base import SpecError

min_version("9.27")
logger.addFilter(lambda record: not str(record.msg).startswith(CHATTER))


# Another file on the command line is another study: its runs take the place of these, and are not added to them.
if not workflow.overwrite_configfiles:

    configfile: "config/config.yaml"


report: "workflow/report/workflow.rst"


try:
    FLOW = Flow.from_config(config, sys.argv)
except SpecError as error:
    raise WorkflowError(str(error)) from None


# A folder that others share is named by the environment, in the jobs of a cluster too; with it, `--cache` is given.
if FLOW.shares:
    workflow.workflow_settings.cache = []


wildcard_constraints:
    study=FLOW.pattern([FLOW.name]),
    run=FLOW.pattern(FLOW.runs),
    shard=FLOW.pattern(FLOW.shards),
    tokenizer=FLOW.pattern(FLOW.study.tokenizers),
    embedding=FLOW.pattern(FLOW.study.embeddings) or "(?!)",
    search=FLOW.pattern(FLOW.study.searches) or "(?!)",
    task=FLOW.pattern(FLOW.parts.tasks.ladders),
    network=FLOW.pattern(FLOW.parts.tasks.networks),


localrules:
    all,


rule all:
    input:
        expand("results/{study}/report/index.html", study=FLOW.name),
        expand("results/{study}/mlflow.json", study=FLOW.name),
        expand("results/{study}/corpus/quality.html", study=FLOW.name),
        expand("results/{study}/leaderboard.csv", study=FLOW.name),
        expand("results/{study}/next-chapter.md", study=FLOW.name),
        expand("results/{study}/figures/learning-curves.svg", study=FLOW.name),
        expand("results/{study}/figures/leaderboard.svg", study=FLOW.name),
        expand("results/{study}/figures/losses.svg", study=FLOW.name),
        expand("results/{study}/chapters.html", study=FLOW.name),
        expand("results/{study}/chapters.csv", study=FLOW.name),
        FLOW.parts.exposures,
        FLOW.parts.data_size_pages,
        expand("results/{study}/runs/{run}/network.svg", study=FLOW.name, run=FLOW.runs),
        expand("results/{study}/runs/{run}/states.svg", study=FLOW.name, run=FLOW.parts.runs_with_states),
        FLOW.parts.gradient_figures,
        FLOW.parts.neuron_figures,
        expand("results/{study}/runs/{run}/mlflow.json", study=FLOW.name, run=FLOW.runs),
        expand("results/{study}/embeddings/{embedding}/mlflow.json", study=FLOW.name, embedding=FLOW.study.embeddings),
        expand("results/{study}/searches/{search}.svg", study=FLOW.name, search=FLOW.study.searches),
        expand("results/{study}/mlflow-study.json", study=FLOW.name),
        expand("results/{study}/mlflow-model.json", study=FLOW.name),


include: "workflow/rules/corpus.smk"
include: "workflow/rules/tokens.smk"
include: "workflow/rules/embeddings.smk"
include: "workflow/rules/runs.smk"
include: "workflow/rules/searches.smk"
include: "workflow/rules/diagnostics.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/tracking.smk"


onstart:
    if workflow.non_local_exec:
        try:
            FLOW.refuse_names_for_a_cluster()
        except SpecError as error:
            raise WorkflowError(str(error)) from None
    from nextchapter.report.estimate import jobs_of
    from nextchapter.report.forecast import describe_study

    FLOW.forget_checksums(workflow.dag.needrun_jobs())
    settings, jobs = workflow.resource_settings, jobs_of(workflow.dag.needrun_jobs())
    print(describe_study(FLOW, jobs, settings.cores or settings.nodes or 1, sys.stdout.isatty()))


onsuccess:
    if not FLOW.launched:
        from nextchapter.report.summary import summarise_study

        print(summarise_study(f"results/{FLOW.name}", sys.stdout.isatty()))
