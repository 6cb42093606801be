"""Examine the chapter that a run wrote: what of it is copied from training, and how near it comes to real writing."""

import sys
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nextchapter.stages.command import LOGGER, Job, StageError, execute

if TYPE_CHECKING:
    import pandas as pd

    from nextchapter.evaluation.examination import Sources

SHELF = "the shelf"
"""What the author of books is called that name none."""


def examine_chapter(job: Job) -> None:
    """Write what is found of `chapter` to `examination`, and its growth of different words to `curve`.

    `others` are samples of other authors, those of the package that the books come from; there may be none.
    """
    import pandas as pd

    from nextchapter.corpus.passages import chapter_text
    from nextchapter.evaluation.examination import as_record, examine
    from nextchapter.spec.examination import ExaminationSpec
    from nextchapter.store.files import read_json, write_json
    from nextchapter.store.tables import write_csv

    run, facts = job.spec["run"], read_json(job.path("facts"))
    spec = ExaminationSpec.model_validate({key: value for key, value in job.spec.items() if key != "run"})
    columns = ["book", "author", "title", "language", "chapter", "heading", "words"]
    training = pd.read_parquet(job.path("train"), columns=columns)
    sources, language, left_out = _find_sources(job, training, facts["after_book"])
    try:
        found = examine(chapter_text(job.path("chapter").read_text(encoding="utf-8")), sources, spec)
    except ValueError as error:
        raise StageError(str(error)) from error
    longest = int(found.measures["longest_copied_words"]["chapter"])
    record = as_record(
        found,
        run=run,
        author=sources.author,
        language=language,
        other_authors_left_out=left_out,
        copied_from=_place_of(training, found.copied_from),
        max_copied_words=spec.max_copied_words,
        flagged=longest > spec.max_copied_words,
    )
    write_json(job.path("examination"), record)
    write_csv(job.path("curve"), pd.DataFrame(found.curve), float_format="%.6g")
    LOGGER.info("%d words in a row stand in training%s", longest, ", more than allowed" * record["flagged"])


def _find_sources(job: Job, training: "pd.DataFrame", book: str) -> "tuple[Sources, str, str]":
    """Return what the chapter is compared with, the language, and why other authors are left out, if they are."""
    from nextchapter.evaluation.examination import Sources
    from nextchapter.tokens.texts import ChapterTexts

    texts = ChapterTexts(job.path("train"))
    names = [author or SHELF for author in training["author"]]
    of_book = training.index[training["book"] == book]
    place = int(of_book[0]) if len(of_book) else 0
    language = str(training["language"].iloc[place])
    authors = _sample_authors(texts, names, training["words"].tolist(), names[place])
    others, left_out = _other_authors(job.paths("others"), language)
    longest = int(training["words"].to_numpy().argmax())
    held_out = [text for split in ("valid", "test") for text in ChapterTexts(job.path(split))]
    sources = Sources(
        training=texts,
        trained_on=next(islice(iter(texts), longest, None)),
        held_out=list(dict.fromkeys(held_out)),  # a text may be validation and test at once
        authors=_merged(authors, others),
        author=next(iter(authors)),
    )
    return sources, language, left_out


def _sample_authors(texts: Any, names: Sequence[str], words: Sequence[int], own: str) -> dict[str, str]:
    """Return samples of the shelf's authors by name, the own one first."""
    from nextchapter.corpus.authors import choose_chapters, cut_samples

    chosen = choose_chapters(names, words, first=own)
    places = {place for chapters in chosen.values() for place in chapters}
    kept = {place: text for place, text in enumerate(texts) if place in places}
    return {author: "\n\n".join(cut_samples([kept[one] for one in chapters])) for author, chapters in chosen.items()}


def _other_authors(tables: Sequence[Path], language: str) -> tuple[dict[str, str], str]:
    """Return samples of the authors in a table who write in a language, and why there is none."""
    from nextchapter.corpus.books import read_chapters

    chapters = [chapter for table in tables for chapter in read_chapters(table)]
    if not chapters:
        return {}, "the books come from no package with books by others"
    samples: dict[str, list[str]] = {}
    for chapter in chapters:
        if chapter.language == language:
            samples.setdefault(chapter.author, []).append(chapter.text)
    written = ", ".join(sorted({chapter.language for chapter in chapters}))
    left_out = "" if samples else f"the others in the package write in {written}, the shelf in {language}"
    return {author: "\n\n".join(texts) for author, texts in samples.items()}, left_out


def _merged(authors: dict[str, str], others: dict[str, str]) -> dict[str, str]:
    """Return the shelf's authors and the others; who stands on the shelf is no other."""
    from nextchapter.corpus.authors import author_key

    own = {author_key(author) for author in authors}
    return authors | {author: text for author, text in others.items() if author_key(author) not in own}


def _place_of(training: "pd.DataFrame", chapter: int) -> dict[str, Any] | None:
    """Return what a reader knows a training chapter by."""
    if chapter < 0:
        return None
    row = training.iloc[chapter]
    return {"book": str(row["book"]), "chapter": int(row["chapter"]), "heading": str(row["heading"])}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage from its command line."""
    inputs = ["chapter", "facts", "train", "valid", "test", "others*"]
    return execute(examine_chapter, inputs=inputs, outputs=["examination", "curve"], argv=argv)


if __name__ == "__main__":
    sys.exit(main())
