"""Read one book and cut it into its chapters."""

import sys
from collections.abc import Sequence

from nextchapter.stages.command import LOGGER, Job, StageError, execute


def clean_book(job: Job) -> None:
    """Write the chapters of `source` to `chapters`, and what was found and removed to `quality`."""
    from nextchapter.corpus import cleaning
    from nextchapter.corpus.books import write_chapters
    from nextchapter.corpus.document import UnreadableBookError
    from nextchapter.store.files import write_json

    source, book = job.path("source").resolve(), job.spec["book"]
    try:
        clean = cleaning.clean_book(source.read_bytes(), book, job.spec["file"], job.spec["join_wrapped_lines"])
    except UnreadableBookError as error:
        raise StageError(f"can't read {source}: {error}; take it out of the shelf, or save it as text") from error
    except OSError as error:
        raise StageError(f"can't read {source}: {error.strerror}") from error
    quality = clean.quality
    removed = ", ".join(f"{removal['reason']} ({removal['count']})" for removal in quality["removed"])
    LOGGER.info(
        "%d chapters, headings: %s; removed: %s", quality["chapters"], quality["headings"], removed or "nothing"
    )
    if quality["encoding_note"]:
        LOGGER.warning("%s is read as %s (%s)", source, quality["encoding"], quality["encoding_note"])
    write_chapters(job.path("chapters"), clean.chapters)
    write_json(job.path("quality"), quality)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage from its command line."""
    return execute(clean_book, inputs=["source"], outputs=["chapters", "quality"], argv=argv)


if __name__ == "__main__":
    sys.exit(main())
