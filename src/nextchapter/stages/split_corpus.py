"""Divide the chapters of the shelf into training, validation and test."""

import sys
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from nextchapter.stages.command import LOGGER, Job, StageError, execute

if TYPE_CHECKING:
    from nextchapter.corpus.books import Entry
    from nextchapter.corpus.shards import Shelf, ShelvedBook


def split_corpus(job: Job) -> None:
    """Write the chapters of the `chapters` tables to `train`, `valid` and `test`; which went where to `manifest`.

    `books` are the records of what was cleaned, `duplicates` the copies, which are left out; with the totals, the
    records make `account`. The prefaces, epilogues and the like of all books are gathered in `matter`.
    """
    from nextchapter.corpus.leaks import leak_share
    from nextchapter.corpus.quality import describe_duplicates, describe_splits, write_manifest
    from nextchapter.corpus.shards import Shelf
    from nextchapter.corpus.splits import SPLITS, ShelfTooSmallError, assign_splits
    from nextchapter.store.files import read_json, write_json

    spec = job.spec
    shelf = Shelf.open(job.paths("chapters"), job.paths("books"), spec["in_name_order"])
    read, foreign = shelf.in_languages(spec["languages"])
    twins = _twins_of(read, read_json(job.path("duplicates")))
    copies = {twin["book"] for twin in twins if twin["chapter"] is None}
    kept = [book for book in read if book.name not in copies]
    everything = [entry for book in read for entry in book.entries()]
    entries = _without_twins(everything, twins)
    _tell(shelf, twins)
    if not entries:
        raise StageError(f"there is no readable chapter in {job.shelf}: {_why_nothing(shelf, foreign)}")
    try:
        splits = assign_splits(entries, **spec["split"])
    except ShelfTooSmallError as error:
        raise StageError(f"{job.shelf}: {error}") from error
    split_of = dict(zip(((entry.book, entry.chapter) for entry in entries), splits, strict=True))
    planted, sentences = _plan_canaries(spec.get("canaries"), kept, entries, split_of)
    _write_splits(job, kept, split_of, sentences)
    LOGGER.info(", ".join(f"{splits.count(split)} chapters to {split}" for split in SPLITS))
    write_manifest(job.path("manifest"), entries, splits)
    _gather_matter(job, kept)
    leak = leak_share([job.path("train")], [job.path("test")])
    LOGGER.info("%.2f %% of the %d-word sequences of the test occur in training", 100 * leak.share, leak.ngram)
    account = {
        "shelf": job.shelf,
        "books": [book.record for book in shelf.books],
        "totals": describe_splits(len(kept), entries, splits),
        "duplicates": describe_duplicates(twins, everything),
        "leak": asdict(leak),
        "refused": shelf.refused,
        "refused_count": shelf.refused_count,
        "left_out_languages": [{"book": book.name, "language": book.record["language"]} for book in foreign],
    }
    write_json(job.path("account"), {**account, **planted})


def _plan_canaries(
    spec: Any, books: "Sequence[ShelvedBook]", entries: "Sequence[Entry]", split_of: dict[tuple[str, int], str]
) -> "tuple[dict[str, Any], dict[tuple[str, int], str]]":
    """Return what the account says of canaries, and the training chapters that have some, as they are with them."""
    from nextchapter.corpus.canaries import choose_places, draw_canaries, frequent_words, plant
    from nextchapter.spec.corpus import CanarySpec

    if spec is None:
        return {}, {}
    wanted = CanarySpec.model_validate(spec)
    training = [entry for entry in entries if split_of[entry.book, entry.chapter] == "train"]
    rows = ((row["book"], row["chapter"], row["text"]) for book in books for row in book.rows())
    texts = {(book, chapter): text for book, chapter, text in rows if split_of.get((book, chapter)) == "train"}
    keys = [(entry.book, entry.chapter) for entry in training]
    words = frequent_words(texts.values(), wanted.frequent)
    canaries = draw_canaries(words, wanted)
    places = choose_places(canaries, [entry.characters for entry in training], wanted.seed)
    changed = {keys[place]: plant(texts[keys[place]], own, (wanted.seed, 3, place)) for place, own in places.items()}
    LOGGER.info("%d random sentences are planted in training", sum(canary.copies for canary in canaries))
    told = {"spec": spec, "words": words, "planted": [canary._asdict() for canary in canaries]}
    return {"canaries": told}, changed


def _twins_of(books: "Iterable[ShelvedBook]", twins: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the copies among some books; what is left out by its language need not be left out again."""
    names = {book.name for book in books}
    return [twin for twin in twins if twin["book"] in names]


def _without_twins(entries: "Iterable[Entry]", twins: Iterable[dict[str, Any]]) -> "list[Entry]":
    dropped = {(twin["book"], twin["chapter"]) for twin in twins}
    return [entry for entry in entries if not {(entry.book, None), (entry.book, entry.chapter)} & dropped]


def _tell(shelf: "Shelf", twins: Sequence[dict[str, Any]]) -> None:
    for book in shelf.books:
        if book.record["problem"]:
            LOGGER.warning("%s has no chapter: %s", book.record["file"], book.record["problem"])
    if twins:
        twin = twins[0]
        LOGGER.warning(
            "copies left out: %d, first %s of %s, which is %s of %s",
            *(len(twins), _part(twin), twin["book"], _part(twin["same_as"]), twin["same_as"]["book"]),
        )


def _part(place: dict[str, Any]) -> str:
    return "the whole" if place["chapter"] is None else f"chapter {place['chapter']}"


def _why_nothing(shelf: "Shelf", foreign: "Sequence[ShelvedBook]") -> str:
    if foreign:
        found = ", ".join(sorted({book.record["language"] for book in foreign}))
        return f"corpus.languages leaves out all {len(foreign)} books; their languages: {found}"
    if shelf.refused:
        return f"{shelf.refused[0]['file']}: {shelf.refused[0]['reason']}"
    return f"{len(shelf.books)} books, all empty"


def _write_splits(
    job: Job, books: "Iterable[ShelvedBook]", splits: dict[tuple[str, int], str], changed: dict[tuple[str, int], str]
) -> None:
    """Write each chapter to the table of its split, in the words that it was changed to if it was."""
    from nextchapter.corpus.books import chapter_table, with_text
    from nextchapter.corpus.splits import SPLITS

    with ExitStack() as stack:
        tables = {name: stack.enter_context(chapter_table(job.path(name))) for name in SPLITS}
        for book in books:
            for row in book.rows():
                key = row["book"], row["chapter"]
                if split := splits.get(key):
                    tables[split].add_row(with_text(row, changed[key]) if key in changed else row)


def _gather_matter(job: Job, books: "Iterable[ShelvedBook]") -> None:
    """Write what is no chapter of any book to one table, a shard at a time."""
    from nextchapter.corpus.books import chapter_table, read_chapters

    names = {book.name for book in books}
    with chapter_table(job.path("matter")) as matter:
        for path in job.paths("matter_tables"):
            matter.add(section for section in read_chapters(path) if section.book in names)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage from its command line."""
    inputs = ["chapters*", "matter_tables*", "books*", "duplicates"]
    outputs = ["train", "valid", "test", "matter", "manifest", "account"]
    return execute(split_corpus, inputs=inputs, outputs=outputs, argv=argv)


if __name__ == "__main__":
    sys.exit(main())
