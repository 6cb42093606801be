"""See how good vectors are on their own, and write them in the format that other tools read."""

import sys
from collections.abc import Sequence

from nextchapter.stages.command import LOGGER, Job, execute

WORDS_MAX = 2000
"""Frequent words among which neighbours are sought."""
NEIGHBOURS = 10


def evaluate_embedding(job: Job) -> None:
    """Score `vectors`; write `scores`, `neighbours`, `vocabulary` and, in word2vec's text format, `text`."""
    import numpy as np
    import pandas as pd

    from nextchapter.embeddings.intrinsic import TokenVectors, score_all
    from nextchapter.embeddings.neighbours import Neighbour, frequent_words, nearest_neighbours
    from nextchapter.embeddings.vectors import export_names, load_vectors, write_word2vec_text
    from nextchapter.store.files import read_json, write_json
    from nextchapter.store.tables import write_csv
    from nextchapter.tokens.registry import load_tokenizer
    from nextchapter.tokens.stream import TokenStream

    facts, tokenizer = read_json(job.path("facts")), load_tokenizer(job.path("tokenizer"))
    vectors, known = load_vectors(job.path("vectors"))
    texts = [tokenizer.token_text(token) for token in range(len(vectors))]
    usable = known.copy()
    usable[[token for token in (facts["end_of_chapter"], facts.get("unknown")) if token is not None]] = False
    blank = np.array([not text.strip() for text in texts])
    scores = score_all(TokenVectors(vectors, usable, blank, tokenizer.encode))
    write_json(job.path("scores"), scores)
    write_json(job.path("vocabulary"), texts)
    names = np.array(export_names(texts), dtype=object)
    write_word2vec_text(job.path("text"), names[known].tolist(), vectors[known])
    counts = TokenStream.open(job.path("train_tokens"), facts["dtype"]).counts(len(vectors))
    words = frequent_words(texts, counts, usable, WORDS_MAX)
    rows = nearest_neighbours(vectors, texts, counts, words, NEIGHBOURS)
    write_csv(job.path("neighbours"), pd.DataFrame(rows, columns=list(Neighbour._fields)), float_format="%.4f")
    LOGGER.info("Spearman %s on wordsim353", scores["wordsim353"].get("spearman"))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage from its command line."""
    inputs = ["facts", "tokenizer", "train_tokens", "vectors"]
    outputs = ["scores", "neighbours", "vocabulary", "text"]
    return execute(evaluate_embedding, inputs=inputs, outputs=outputs, argv=argv)


if __name__ == "__main__":
    sys.exit(main())
