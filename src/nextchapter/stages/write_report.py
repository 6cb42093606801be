"""Write the page of a study: shelf, scores, costs, gradients, chapters, where all comes from; to be read as a whole."""

import sys
from collections.abc import Sequence

from nextchapter.stages.command import LOGGER, Job, execute
from nextchapter.store.files import write_text


def write_report(job: Job) -> None:
    """Write the page of the files in the folder `results`; its rule names them one by one."""
    from nextchapter.report.overview import overview_page
    from nextchapter.report.results import Results

    html = overview_page(Results(job.path("results"), job.spec))
    write_text(job.path("html"), html)
    LOGGER.info("the report has %.1f MB", len(html.encode()) / 1e6)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage from its command line."""
    return execute(write_report, inputs=["results"], outputs=["html"], argv=argv)


if __name__ == "__main__":
    sys.exit(main())
