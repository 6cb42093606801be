"""Encoding speed of our tokenizers, whole path, against sentencepiece's own batch call and Hugging Face's tokenizers.

All sides encode the same chapters, in turn, in one process and on one thread; Hugging Face's unigram and byte-pair
models have the same size and learned from the same text. Printed: megabytes of text a second by the median, and the
ratio of ours to each peer. Processor time, so that other work on the machine does not count.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ["TOKENIZERS_PARALLELISM"] = "false"  # read when the first batch is encoded

from nextchapter.tokens.protocol import Tokenizer
from nextchapter.tokens.registry import train_tokenizer

VOCABULARY, TURNS, CHAPTER_CHARACTERS = 4000, 5, 16_000


def read_chapters(paths: list[Path]) -> list[str]:
    """Return the texts of some files, cut to the length of chapters."""
    texts = [path.read_text(encoding="utf-8", errors="replace") for path in paths]
    return [text[at : at + CHAPTER_CHARACTERS] for text in texts for at in range(0, len(text), CHAPTER_CHARACTERS)]


def hugging_face(kind: str, chapters: list[str]) -> Any:
    """Return Hugging Face's tokenizer of a kind, learned from the chapters; None where the package is missing."""
    try:
        import tokenizers
    except ImportError:
        return None
    models, trainers = tokenizers.models, tokenizers.trainers
    peer = tokenizers.Tokenizer(models.Unigram() if kind == "unigram" else models.BPE())
    peer.pre_tokenizer = tokenizers.pre_tokenizers.Metaspace(prepend_scheme="never")
    options = {"vocab_size": VOCABULARY, "show_progress": False}
    trainer = trainers.UnigramTrainer(unk_token="<unk>", special_tokens=["<unk>"], **options)  # noqa: S106 - no password
    if kind == "bpe":
        trainer = trainers.BpeTrainer(**options)
    peer.train_from_iterator(chapters, trainer)
    return peer


def sides_of(kind: str, ours: Tokenizer, chapters: list[str]) -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield the name and the work of each side."""
    yield "ours", lambda: [ours.encode_text(chapter) for chapter in chapters]
    if kind in ("unigram", "bpe"):
        processor = ours._processor
        yield "sentencepiece", lambda: processor.encode(chapters, num_threads=1)
        peer = hugging_face(kind, chapters)
        if peer is None:
            print("  Hugging Face's tokenizers are not installed; pip install tokenizers")
        else:
            yield "hugging face", lambda: [encoding.ids for encoding in peer.encode_batch_fast(chapters)]


def race(kind: str, chapters: list[str]) -> None:
    """Print the speed of each side, and the ratio of ours to it."""
    size = {"vocabulary_size": VOCABULARY} if kind in ("unigram", "bpe") else {}
    ours = train_tokenizer(chapters, {"kind": kind, **size})
    sides = dict(sides_of(kind, ours, chapters))
    times: dict[str, list[float]] = {name: [] for name in sides}
    for turn in range(TURNS + 1):
        for name, work in sides.items():
            started = time.process_time()
            work()
            if turn:  # the first turn warms up
                times[name].append(time.process_time() - started)
    megabytes = sum(len(chapter.encode()) for chapter in chapters) / 1e6
    speeds = {name: megabytes / statistics.median(seconds) for name, seconds in times.items()}
    for name, speed in speeds.items():
        ratio = "" if name == "ours" else f"  ratio {speeds['ours'] / speed:.2f}"
        print(f"{kind:<11} {name:<14} {speed:>8.1f} MB/s{ratio}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    here = Path("resources/books")
    parser.add_argument("files", nargs="*", type=Path, help=f"texts; those below {here} when absent")
    files = parser.parse_args().files or sorted(here.rglob("*.txt"))
    if not files:
        raise SystemExit(f"there is no text below {here}: run the default study first, or name some files")
    chapters = read_chapters(files)
    print(f"{len(chapters)} chapters, {sum(map(len, chapters)) / 1e6:.1f} million characters, one thread")
    for kind in ("bytes", "characters", "words", "unigram", "bpe"):
        race(kind, chapters)


if __name__ == "__main__":
    main()
