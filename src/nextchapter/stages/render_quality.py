"""Complete the account of the shelf, and set it as a page to read."""

import sys
from collections.abc import Sequence

from nextchapter.stages.command import LOGGER, Job, execute
from nextchapter.store.files import read_json, write_json, write_text


def render_quality(job: Job) -> None:
    """Write `quality` and `html`: the `account` of the split, and the files of the folder that are no books.

    These are no part of `account`: a picture that is laid beside the books must not split the corpus again.
    """
    from nextchapter.report import quality

    for ignored in job.spec["ignored"]:
        LOGGER.warning("can't read %s: %s", ignored["file"], ignored["reason"])
    record = read_json(job.path("account"))
    record["refused"] += job.spec["ignored"]
    record["refused_count"] += job.spec["ignored_count"]
    write_json(job.path("quality"), record)
    write_text(job.path("html"), quality.render_quality(record))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage from its command line."""
    return execute(render_quality, inputs=["account"], outputs=["quality", "html"], argv=argv)


if __name__ == "__main__":
    sys.exit(main())
