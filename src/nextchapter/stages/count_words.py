"""Find the words of the test chapters, and count how often each stands in the training chapters."""

import sys
from collections.abc import Sequence

from nextchapter.stages.command import LOGGER, Job, execute


def count_words(job: Job) -> None:
    """Write `words`: where each word of the test chapters stands, and its count in training."""
    from nextchapter.corpus.frequencies import place_words, write_words
    from nextchapter.tokens.texts import ChapterTexts

    chapters = place_words(list(ChapterTexts(job.path("test"))), ChapterTexts(job.path("train")))
    write_words(job.path("words"), chapters)
    unseen = sum(int((words.train_counts == 0).sum()) for words in chapters)
    LOGGER.info("%d words to foresee, %d of them never seen", sum(len(words.starts) for words in chapters), unseen)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage from its command line."""
    return execute(count_words, inputs=["train", "test"], outputs=["words"], argv=argv)


if __name__ == "__main__":
    sys.exit(main())
