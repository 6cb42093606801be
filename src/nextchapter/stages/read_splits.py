"""Take the splits of a benchmark as they are given, if they are the right ones: nothing is cleaned or drawn."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nextchapter.stages.command import LOGGER, Job, StageError, execute

if TYPE_CHECKING:
    from nextchapter.corpus.books import Chapter, Entry


def read_splits(job: Job) -> None:
    """Write the text of the `files` to `train`, `valid` and `test`; list and count it like a shelf's.

    The files are one a split, or one that is divided by `shares`. There is no preface and the like, so `matter` is
    empty.
    """
    from nextchapter.corpus.books import Entry, write_chapters
    from nextchapter.corpus.leaks import leak_share
    from nextchapter.corpus.quality import describe_splits, write_manifest
    from nextchapter.corpus.words import count_words
    from nextchapter.store.files import write_json
    from nextchapter.tokens.texts import count_pretokenized

    for path, file in zip(job.paths("files"), job.spec["files"], strict=True):
        _check_digest(path, file)
    shares = job.spec["shares"]
    count = count_pretokenized if shares is None else count_words
    entries: list[Entry] = []
    splits: list[str] = []
    for split, chapters in _given_splits(job) if shares is None else _cut_splits(job, **shares):
        write_chapters(job.path(split), chapters)
        for chapter in chapters:
            words = count(chapter.text)
            entries.append(Entry(chapter.book, chapter.chapter, "", len(chapter.text), words, chapter.sha256))
            splits.append(split)
        LOGGER.info("%s: %d words", split, sum(entry.words for entry in entries[-len(chapters) :]))
    write_chapters(job.path("matter"), [])
    write_manifest(job.path("manifest"), entries, splits)
    books = [_describe_file(file, entries) for file in job.spec["files"]]
    account = {
        "shelf": job.shelf,
        "books": books,
        "totals": describe_splits(len(books), entries, splits),
        "duplicates": [],
        "leak": asdict(leak_share([job.path("train")], [job.path("test")])),
        "refused": [],
        "refused_count": 0,
        "left_out_languages": [],
    }
    write_json(job.path("account"), account)


def _check_digest(path: Path, file: dict[str, str]) -> None:
    """Refuse a file that holds another text than the one that is asked for."""
    from nextchapter.tokens.texts import digest_plain

    if file["sha256"] is None:
        return
    try:
        found = digest_plain(path)
    except ValueError as error:
        raise StageError(f"corpus.source.{file['key']}: {error}") from error
    if found != file["sha256"]:
        raise StageError(
            f"corpus.source.{file['key']}: {path} holds another text than {file['file']} of this set: the sha256 of "
            f"the plain text is {found}; expected {file['sha256']}"
        )


def _given_splits(job: Job) -> "Iterator[tuple[str, list[Chapter]]]":
    """Yield the chapters of each split, from a file each."""
    from nextchapter.corpus.splits import SPLITS
    from nextchapter.tokens.texts import read_pretokenized

    for split, path, file in zip(SPLITS, job.paths("files"), job.spec["files"], strict=True):
        yield split, _chapters_of(file, read_pretokenized(path))


def _cut_splits(job: Job, valid_share: float, test_share: float) -> "Iterator[tuple[str, list[Chapter]]]":
    """Yield the chapters of each split, all cut from one file; without a share for it, the test is the validation."""
    from nextchapter.tokens.texts import count_characters, read_part

    path, (file,) = job.path("files"), job.spec["files"]
    try:
        length = count_characters(path)
    except ValueError as error:
        raise StageError(str(error)) from error
    trained, chosen = int(length * (1 - valid_share - test_share)), int(length * (1 - test_share))
    test_start = chosen if test_share else trained
    if not test_share:
        LOGGER.warning("no text is left for the test: the validation text is scored as the test as well")
    first = 1
    for split, start, stop in (("train", 0, trained), ("valid", trained, chosen), ("test", test_start, length)):
        chapters = _chapters_of(file, read_part(path, start, stop), first)
        first += len(chapters)
        yield split, chapters


def _chapters_of(file: dict[str, str], texts: Iterable[str], first: int = 1) -> "list[Chapter]":
    """Return texts as the chapters of a file, numbered from `first`."""
    from nextchapter.corpus.books import Chapter

    try:
        chapters = [
            Chapter(book=file["name"], author="", title=file["name"], volume="", chapter=number, heading="", text=text)
            for number, text in enumerate(texts, start=first)
        ]
    except ValueError as error:
        raise StageError(str(error)) from error
    if not chapters:
        raise StageError(f"{file['file']} holds no token; each of train, valid and test needs some")
    return chapters


def _describe_file(file: dict[str, str], entries: "Sequence[Entry]") -> dict[str, Any]:
    """Return the record of a file, as `clean_books` writes that of a book; what is validation and test counts once."""
    own = {entry.sha256: entry for entry in entries if entry.book == file["name"]}.values()
    lengths = [entry.characters for entry in own]
    return {
        "book": file["name"],
        "file": file["file"],
        "title": "",
        "author": "",
        "format": "a benchmark's text",
        "encoding": "utf-8",
        "encoding_note": "",
        "characters": sum(lengths),
        "words": sum(entry.words for entry in own),
        "chapters": len(own),
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
