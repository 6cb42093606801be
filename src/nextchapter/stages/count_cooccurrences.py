"""Count which tokens of the training chapters stand near which, for GloVe."""

import sys
from collections.abc import Sequence

from nextchapter.stages.command import LOGGER, Job, execute


def count_cooccurrences(job: Job) -> None:
    """Count the pairs of `train_tokens` into `cooccurrences`."""
    from nextchapter.embeddings import cooccurrence
    from nextchapter.store.files import read_json
    from nextchapter.tokens.stream import TokenStream

    spec, facts = job.spec, read_json(job.path("facts"))
    stream = TokenStream.open(job.path("train_tokens"), facts["dtype"])
    kept = cooccurrence.frequent_tokens(stream, facts["vocabulary_size"], spec["min_count"])
    path = job.path("cooccurrences")
    counts = cooccurrence.count_cooccurrences(stream, kept, spec["window"], spec["memory_mb"], path)
    LOGGER.info("%d pairs of %d tokens in %d places", len(counts), kept.sum(), len(stream.tokens))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage from its command line."""
    return execute(count_cooccurrences, inputs=["facts", "train_tokens"], outputs=["cooccurrences"], argv=argv)


if __name__ == "__main__":
    sys.exit(main())
