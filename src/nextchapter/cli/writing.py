"""`nextchapter write`: a text that grows on the screen, or as a whole."""

from typing import Any, TextIO

from nextchapter.cli.loaded import Loaded, load
from nextchapter.cli.runs import Run
from nextchapter.generation.chapter import draw_opening, write_chapter
from nextchapter.generation.telling import whole_characters
from nextchapter.generation.writer import Writer
from nextchapter.spec.study import check_spec
from nextchapter.spec.writing import WritingSpec
from nextchapter.store.checksums import verify_checksum


def write_text(run: Run, settings: dict[str, Any]) -> dict[str, Any]:
    """Return the finished text, with what it was written by.

    Args:
        run: the run.
        settings: keys of the configuration's `writing`, those that differ from its defaults.
    """
    spec, loaded = _spec(settings), load(run)
    opening = spec.opening or random_opening(loaded, spec.seed)
    chapter = write_chapter(loaded.model, loaded.tokenizer, opening, spec)
    how = {**spec.model_dump(mode="json"), "opening": opening}
    return {"run": run.name, "study": run.study, "text": chapter.text, "words": chapter.words, "writing": how}


def stream_chapter(run: Run, settings: dict[str, Any], screen: TextIO) -> None:
    """Write to a screen as the words come; Ctrl-C ends it."""
    spec, loaded = _spec(settings), load(run)
    opening = spec.opening or random_opening(loaded, spec.seed)
    writer, shown = Writer(loaded.model, loaded.tokenizer, opening, spec), 0
    try:
        while True:
            text = whole_characters(writer.drafts[0].text)
            screen.write(text[shown:])
            screen.flush()
            shown = len(text)
            if not writer.step():
                break
    except KeyboardInterrupt:
        screen.write(" ...")
    screen.write("\n")


def _spec(settings: dict[str, Any]) -> WritingSpec:
    return check_spec(WritingSpec, settings, whole="what was asked for")


def random_opening(loaded: Loaded, seed: int) -> str:
    """Return a random word of the shelf that the run was trained on.

    Raises:
        ValueError: the shelf is not there any more, or damaged.
    """
    import pyarrow.parquet as pq

    chapters = loaded.run.folder.parents[1] / "corpus" / "train.parquet"
    if not chapters.is_file():
        raise ValueError(f"the shelf is missing ({chapters}), so no word can be drawn from it; give an --opening")
    verify_checksum(chapters)
    texts = pq.read_table(chapters, columns=["text"]).column("text").to_pylist()
    return draw_opening(texts, seed, loaded.tokenizer)
