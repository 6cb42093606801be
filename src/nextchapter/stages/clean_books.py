"""Read some files of the shelf and cut their books into chapters."""

import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nextchapter.stages.command import LOGGER, Job, StageError, execute

if TYPE_CHECKING:
    from nextchapter.corpus.books import ChapterTable
    from nextchapter.shelf import Refused

REFUSED_NAMED = 50
"""So many of the members of an archive, or rows of a table, that can't be read are named; all are counted."""


def clean_books(job: Job) -> None:
    """Write the chapters of all books in the `source` files to `chapters`, what was found in them to `quality`.

    Prologues, prefaces, epilogues and the like go to `matter`.
    """
    from nextchapter.corpus.books import chapter_table
    from nextchapter.store.files import write_json

    with chapter_table(job.path("chapters")) as table, chapter_table(job.path("matter")) as matter:
        files = zip(job.paths("source"), job.spec["files"], strict=True)
        records = [_clean_file(source, file, job.spec, table, matter) for source, file in files]
    write_json(job.path("quality"), {"files": records})


def _clean_file(
    source: Path, file: dict[str, str], spec: dict[str, Any], table: "ChapterTable", matter: "ChapterTable"
) -> dict[str, Any]:
    """Add the books in a file to the tables; return its record: its books, and what in it was not read."""
    from nextchapter.corpus.document import Limits
    from nextchapter.corpus.reading import merge_records, read_books
    from nextchapter.shelf import Refused

    limits = Limits(book_bytes=int(spec["max_book_mb"] * 1e6))
    books: list[dict[str, Any]] = []
    refused: list[Refused] = []
    for found in read_books(source, file["file"], file["name"], limits, spec["join_wrapped_lines"]):
        if isinstance(found, Refused):
            _refuse(found, spec["on_unreadable"], is_named=len(refused) < REFUSED_NAMED)
            refused.append(found)
            continue
        start = table.groups
        words = table.add(found.chapters)
        table.end_group()
        matter.add(found.matter)
        record = {**found.quality, "words": words, "row_groups": [start, table.groups]}
        if books and books[-1]["book"] == record["book"]:  # the next part of a table too large for the memory
            books[-1] = merge_records(books[-1], record)
        else:
            books.append(record)
    for book in books:
        _tell_book(book)
    named = [asdict(entry) for entry in refused[:REFUSED_NAMED]]
    return {"name": file["name"], "books": books, "refused": named, "refused_count": len(refused)}


def _refuse(refused: "Refused", on_unreadable: str, is_named: bool) -> None:
    if on_unreadable == "fail":
        remedy = "Take it out of the shelf, or let corpus.on_unreadable be skip"
        raise StageError(f"can't read {refused.file}: {refused.reason}. {remedy}")
    if is_named:
        LOGGER.warning("can't read %s: %s", refused.file, refused.reason)


def _tell_book(quality: dict[str, Any]) -> None:
    """Tell what became of a book."""
    chapters = quality["chapters"]
    removed = ", ".join(f"{removal['reason']} ({removal['count']})" for removal in quality["removed"])
    LOGGER.info(
        "%s: %d chapter%s, headings: %s; removed: %s",
        *(quality["file"], chapters, "s" * (chapters != 1), quality["headings"], removed or "nothing"),
    )
    if quality["encoding_note"]:
        LOGGER.warning("%s is read as %s (%s)", quality["file"], quality["encoding"], quality["encoding_note"])


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage from its command line."""
    return execute(clean_books, inputs=["source*"], outputs=["chapters", "matter", "quality"], argv=argv)


if __name__ == "__main__":
    sys.exit(main())
