"""Vectors of tokens learned before any language model: word2vec, GloVe, and how good they are on their own."""
