"""Set the account of the shelf as a page to read."""

import sys
from collections.abc import Sequence

from nextchapter.stages.command import Job, execute
from nextchapter.store.files import read_json, write_text


def render_quality(job: Job) -> None:
    """Write `html` from `quality`, and the files of the folder that are no books.

    These are no part of `quality`: a picture that is laid beside the books must not split the corpus again.
    """
    from nextchapter.report import quality

    record = read_json(job.path("quality"))
    record["refused"] += job.spec["ignored"]
    record["refused_count"] += job.spec["ignored_count"]
    write_text(job.path("html"), quality.render_quality(record))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage from its command line."""
    return execute(render_quality, inputs=["quality"], outputs=["html"], argv=argv)


if __name__ == "__main__":
    sys.exit(main())
