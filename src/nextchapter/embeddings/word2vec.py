"""word2vec (Mikolov et al., 2013), by gensim, streaming from a token file."""

import zlib
from collections.abc import Iterator

import numpy as np
from gensim.models import Word2Vec
from gensim.models.callbacks import CallbackAny2Vec

from nextchapter.embeddings.vectors import LearnedVectors, Material
from nextchapter.spec.embeddings import Word2vecSpec
from nextchapter.tokens.stream import TokenStream

SENTENCE_TOKENS = 1000
"""Gensim reads sentences of at most 10,000 tokens; a chapter is cut into shorter ones."""


class Sentences:
    """The chapters of a stream as gensim reads them, any number of times: ids as text, cut, one at a time in memory."""

    def __init__(self, stream: TokenStream) -> None:
        """Take the stream."""
        self.stream = stream

    def __iter__(self) -> Iterator[list[str]]:
        for index in range(self.stream.chapters):
            chapter = self.stream.chapter(index)
            for start in range(0, len(chapter), SENTENCE_TOKENS):
                yield [str(token) for token in chapter[start : start + SENTENCE_TOKENS].tolist()]


def learn_vectors(material: Material, spec: Word2vecSpec) -> LearnedVectors:
    """Return the vectors of the tokens; equal material and specification give equal vectors."""
    vectors = np.zeros((material.vocabulary_size, spec.dimensions), dtype=np.float32)
    known = material.stream.counts(material.vocabulary_size) >= spec.min_count
    if known.any():
        learned = build_word2vec(material.stream, spec).wv
        vectors[np.array(learned.index_to_key, dtype=np.int64)] = learned.vectors
    return LearnedVectors(vectors, known, {})


def build_word2vec(
    stream: TokenStream, spec: Word2vecSpec, callbacks: tuple[CallbackAny2Vec, ...] = (), threads: int = 1
) -> Word2Vec:
    """Return gensim's model, trained.

    Gensim repeats itself on one thread only, and with a hash that does not differ from process to process.

    Args:
        stream: the chapters.
        spec: variant and sizes.
        callbacks: gensim's own.
        threads: more than one, and no two calls give the same.
    """
    return Word2Vec(
        Sentences(stream),
        vector_size=spec.dimensions,
        window=spec.window,
        min_count=spec.min_count,
        sg=int(spec.variant == "skip-gram"),
        negative=spec.negative,
        alpha=spec.learning_rate,
        sample=spec.subsampling,
        epochs=spec.epochs,
        seed=spec.seed,
        hashfxn=_stable_hash,
        workers=threads,
        callbacks=callbacks,
    )


def _stable_hash(text: str) -> int:
    """Return a number that is the same in each process, unlike Python's `hash`."""
    return zlib.crc32(text.encode())
