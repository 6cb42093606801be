"""Learn a tokenizer from the training chapters, and from no others."""

import sys
from collections.abc import Sequence

from nextchapter.stages.command import LOGGER, Job, execute


def train_tokenizer(job: Job) -> None:
    """Train on `train`, write `tokenizer`."""
    from nextchapter.tokens import registry
    from nextchapter.tokens.texts import ChapterTexts

    tokenizer = registry.train_tokenizer(ChapterTexts(job.path("train")), job.spec)
    tokenizer.save(job.path("tokenizer"))
    LOGGER.info("%d tokens learned: %s", tokenizer.vocabulary_size, tokenizer.kind)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage from its command line."""
    return execute(train_tokenizer, inputs=["train"], outputs=["tokenizer"], argv=argv)


if __name__ == "__main__":
    sys.exit(main())
