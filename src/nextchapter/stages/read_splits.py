"""Take the three splits of a benchmark as they are given: nothing is cleaned, drawn or left out."""

import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nextchapter.stages.command import LOGGER, Job, StageError, execute

if TYPE_CHECKING:
    from nextchapter.corpus.books import Chapter


def read_splits(job: Job) -> None:
    """Write the text of the three `files` to `train`, `valid` and `test`; list and count it like a shelf's.

    There is no preface and the like, so `matter` is empty.
    """
    from nextchapter.corpus.books import Entry, write_chapters
    from nextchapter.corpus.leaks import leak_share
    from nextchapter.corpus.quality import describe_splits, write_manifest
    from nextchapter.corpus.splits import SPLITS
    from nextchapter.store.files import write_json
    from nextchapter.tokens.texts import count_pretokenized

    books: list[dict[str, Any]] = []
    entries: list[Entry] = []
    splits: list[str] = []
    for split, path, file in zip(SPLITS, job.paths("files"), job.spec["files"], strict=True):
        chapters = _read_chapters(path, file)
        write_chapters(job.path(split), chapters)
        for chapter in chapters:
            words = count_pretokenized(chapter.text)
            entries.append(Entry(chapter.book, chapter.chapter, "", len(chapter.text), words, chapter.sha256))
            splits.append(split)
        books.append(_describe_file(file, entries[-len(chapters) :]))
        LOGGER.info("%s: %d tokens of %s", split, books[-1]["words"], file["file"])
    write_chapters(job.path("matter"), [])
    write_manifest(job.path("manifest"), entries, splits)
    account = {
        "shelf": job.spec["shelf"],
        "books": books,
        "totals": describe_splits(len(books), entries, splits),
        "duplicates": [],
        "leak": asdict(leak_share([job.path("train")], [job.path("test")])),
        "refused": [],
        "refused_count": 0,
        "left_out_languages": [],
    }
    write_json(job.path("account"), account)


def _read_chapters(path: Path, file: dict[str, str]) -> "list[Chapter]":
    """Return the text of a file, in parts that fit the memory."""
    from nextchapter.corpus.books import Chapter
    from nextchapter.tokens.texts import read_pretokenized

    try:
        chapters = [
            Chapter(book=file["name"], author="", title=file["name"], volume="", chapter=number, heading="", text=text)
            for number, text in enumerate(read_pretokenized(path), start=1)
        ]
    except ValueError as error:
        raise StageError(str(error)) from error
    if not chapters:
        raise StageError(f"{file['file']} holds no token; each of train, valid and test needs some")
    return chapters


def _describe_file(file: dict[str, str], entries: "Sequence[Any]") -> dict[str, Any]:
    """Return the record of a file, as `clean_books` writes that of a book."""
    lengths = [entry.characters for entry in entries]
    return {
        "book": file["name"],
        "file": file["file"],
        "title": "",
        "author": "",
        "format": "pre-tokenised text",
        "encoding": "utf-8",
        "encoding_note": "",
        "characters": sum(lengths),
        "words": sum(entry.words for entry in entries),
        "chapters": len(entries),
        "lengths": lengths,
        "matter": [],
        "removed": [],
        "repaired": [],
        "problem": "",
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage from its command line."""
    outputs = ["train", "valid", "test", "matter", "manifest", "account"]
    return execute(read_splits, inputs=["files*"], outputs=outputs, argv=argv)


if __name__ == "__main__":
    sys.exit(main())
