"""Learn a tokenizer from the training chapters, and from no others."""

import sys
from collections.abc import Sequence

from nextchapter.spec.tokens import UnigramSpec
from nextchapter.stages.command import LOGGER, Job, execute


def train_tokenizer(job: Job) -> None:
    """Train on `train`, write `tokenizer`."""
    import pandas as pd

    from nextchapter.tokens.unigram import UnigramTokenizer

    texts = pd.read_parquet(job.path("train"), columns=["text"])["text"]
    tokenizer = UnigramTokenizer.train(texts, UnigramSpec.model_validate(job.spec))
    tokenizer.save(job.path("tokenizer"))
    LOGGER.info("%d tokens learned from %d chapters", tokenizer.vocabulary_size, len(texts))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage from its command line."""
    return execute(train_tokenizer, inputs=["train"], outputs=["tokenizer"], argv=argv)


if __name__ == "__main__":
    sys.exit(main())
