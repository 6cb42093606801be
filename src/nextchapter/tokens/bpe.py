"""Sentencepiece's byte-pair encoding (Sennrich et al., 2016): the most frequent pair is merged, over and over."""

from nextchapter.tokens.pieces import PieceTokenizer


class BpeTokenizer(PieceTokenizer):
    """Text to token ids and back, exactly."""

    kind = "bpe"


TOKENIZER = BpeTokenizer
