"""Sentencepiece's unigram model (Kudo, 2018): of all ways to cut a text, the likeliest."""

from nextchapter.tokens.pieces import PieceTokenizer


class UnigramTokenizer(PieceTokenizer):
    """Text to token ids and back, exactly."""

    kind = "unigram"


TOKENIZER = UnigramTokenizer
