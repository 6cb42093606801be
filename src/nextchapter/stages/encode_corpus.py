"""Turn the chapters of each split into a memory-mapped file of tokens."""

import sys
from collections.abc import Sequence

from nextchapter.stages.command import LOGGER, Job, execute

SPLITS = ("train", "valid", "test")


def encode_corpus(job: Job) -> None:
    """Encode the three splits with `tokenizer`; write a token file each, and their facts to `facts`."""
    import pandas as pd

    from nextchapter.corpus.words import count_words
    from nextchapter.store.files import sha256_of, write_json
    from nextchapter.tokens.stream import token_dtype, write_stream
    from nextchapter.tokens.unigram import UnigramTokenizer

    tokenizer = UnigramTokenizer.load(job.path("tokenizer"))
    dtype = token_dtype(tokenizer.vocabulary_size)
    splits = {}
    for split in SPLITS:
        texts = pd.read_parquet(job.path(split), columns=["text"])["text"]
        encoded = (tokenizer.encode(text) for text in texts)
        stream = write_stream(job.path(f"{split}_tokens"), encoded, tokenizer.end_of_chapter, dtype)
        splits[split] = {
            "chapters": stream.chapters,
            "tokens": len(stream.tokens),
            "characters": int(texts.str.len().sum()),
            "words": int(texts.map(count_words).sum()),
            "sha256": sha256_of(job.path(f"{split}_tokens")),
        }
        LOGGER.info("%s: %d tokens in %d chapters", split, len(stream.tokens), stream.chapters)
    facts = {
        "kind": job.spec["kind"],
        "vocabulary_size": tokenizer.vocabulary_size,
        "end_of_chapter": tokenizer.end_of_chapter,
        "dtype": dtype,
        "splits": splits,
    }
    write_json(job.path("facts"), facts)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage from its command line."""
    token_files = [f"{split}_tokens" for split in SPLITS]
    offset_files = [f"{split}_offsets" for split in SPLITS]
    inputs, outputs = ["tokenizer", *SPLITS], ["facts", *token_files, *offset_files]
    return execute(encode_corpus, inputs=inputs, outputs=outputs, argv=argv)


if __name__ == "__main__":
    sys.exit(main())
