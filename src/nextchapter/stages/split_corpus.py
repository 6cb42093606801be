"""Divide the chapters of the shelf into training, validation and test."""

import sys
from collections.abc import Sequence

from nextchapter.stages.command import LOGGER, Job, StageError, execute


def split_corpus(job: Job) -> None:
    """Write the chapters of the `chapters` tables to `train`, `valid` and `test`; which went where to `manifest`.

    `books` are the books' quality records, in the order of the shelf; with the totals they make `quality`.
    """
    from nextchapter.corpus.books import read_chapters, write_chapters
    from nextchapter.corpus.quality import describe_shelf, write_manifest
    from nextchapter.corpus.splits import SPLITS, ShelfTooSmallError, assign_splits, drop_duplicates
    from nextchapter.store.files import read_json, write_json

    books = [read_json(path) for path in job.paths("books")]
    for book in books:
        if book["problem"]:
            LOGGER.warning("%s has no chapter: %s", book["file"], book["problem"])
    chapters, repeated = drop_duplicates([chapter for path in job.paths("chapters") for chapter in read_chapters(path)])
    if repeated:
        (chapter, original), count = repeated[0], len(repeated)
        LOGGER.warning(
            "%d chapters repeat the text of others and are left out, first chapter %d of %s, which is chapter %d of %s",
            *(count, chapter.chapter, chapter.book, original.chapter, original.book),
        )
    shelf = job.spec["shelf"]
    if not chapters:
        raise StageError(f"there is no readable chapter in {shelf}: {len(books)} files, all empty")
    try:
        splits = assign_splits(chapters, **job.spec["split"])
    except ShelfTooSmallError as error:
        raise StageError(f"{shelf}: {error}") from error
    for split in SPLITS:
        chosen = [chapter for chapter, own in zip(chapters, splits, strict=True) if own == split]
        write_chapters(job.path(split), chosen)
    LOGGER.info(", ".join(f"{splits.count(split)} chapters to {split}" for split in SPLITS))
    write_manifest(job.path("manifest"), chapters, splits)
    write_json(job.path("quality"), describe_shelf(shelf, books, chapters, splits, repeated))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage from its command line."""
    outputs = ["train", "valid", "test", "manifest", "quality"]
    return execute(split_corpus, inputs=["chapters*", "books*"], outputs=outputs, argv=argv)


if __name__ == "__main__":
    sys.exit(main())
