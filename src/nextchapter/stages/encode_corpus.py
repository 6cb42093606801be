"""Turn the chapters of each split into a memory-mapped file of tokens."""

import sys
from collections.abc import Sequence

from nextchapter.stages.command import LOGGER, Job, execute

SPLITS = ("train", "valid", "test")


def encode_corpus(job: Job) -> None:
    """Encode the three splits with `tokenizer`; write a token file each, and their facts to `facts`.

    The words of a pre-tokenised benchmark are its tokens, `<eos>` included: perplexity a word is then the field's.
    """
    from nextchapter.corpus.words import count_words
    from nextchapter.store.files import sha256_of, write_json
    from nextchapter.tokens.encoding import SplitFacts, encode_chapters
    from nextchapter.tokens.registry import load_tokenizer
    from nextchapter.tokens.stream import token_dtype, write_stream
    from nextchapter.tokens.texts import ChapterTexts, count_pretokenized

    tokenizer = load_tokenizer(job.path("tokenizer"))
    dtype = token_dtype(tokenizer.vocabulary_size)
    count = count_pretokenized if job.spec["pretokenized"] else count_words
    splits = {}
    for split in SPLITS:
        counted = SplitFacts(closed=tokenizer.unknown is not None)
        chapters = encode_chapters(job.path("tokenizer"), ChapterTexts(job.path(split)), job.threads, count)
        tokens = (counted.add(chapter) for chapter in chapters)
        write_stream(job.path(f"{split}_tokens"), tokens, tokenizer.end_of_chapter, dtype)
        splits[split] = {**counted.as_json(), "sha256": sha256_of(job.path(f"{split}_tokens"))}
        LOGGER.info("%s: %d tokens in %d chapters", split, counted.tokens, counted.chapters)
    facts = {
        "kind": tokenizer.kind,
        "vocabulary_size": tokenizer.vocabulary_size,
        "end_of_chapter": tokenizer.end_of_chapter,
        "unknown": tokenizer.unknown,
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
