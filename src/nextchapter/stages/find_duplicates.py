"""Find the books and chapters that are copies of others, or nearly."""

import sys
from collections.abc import Sequence

from nextchapter.stages.command import LOGGER, Job, execute


def find_duplicates(job: Job) -> None:
    """Compare the chapters of the `chapters` tables with each other; write the copies to `duplicates`."""
    from nextchapter.corpus import duplicates
    from nextchapter.corpus.shards import Shelf
    from nextchapter.corpus.sketches import sketch_tables
    from nextchapter.store.files import write_json

    shelf = Shelf.open(job.paths("chapters"), job.paths("books"), job.spec["in_name_order"])
    sketches = sketch_tables(job.paths("chapters"), job.threads)
    # Books in languages that are left out stand last: of a copy among them the other stays.
    order = [book.name for part in shelf.in_languages(job.spec["languages"]) for book in part]
    found = duplicates.find_duplicates(sketches, order, job.spec["similarity"])
    records = [
        {
            "book": twin.book,
            "chapter": twin.chapter,
            "same_as": {"book": twin.same_as_book, "chapter": twin.same_as_chapter},
            "similarity": round(twin.similarity, 4),
            "kind": twin.kind,
        }
        for twin in found
    ]
    whole = sum(twin.chapter is None for twin in found)
    LOGGER.info("copies of others: whole books %d, chapters %d", whole, len(found) - whole)
    write_json(job.path("duplicates"), records)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage from its command line."""
    return execute(find_duplicates, inputs=["chapters*", "books*"], outputs=["duplicates"], argv=argv)


if __name__ == "__main__":
    sys.exit(main())
