"""ARPA, the text format in which toolkits such as SRILM and KenLM exchange n-gram models.

    python -m nextchapter.models.arpa results/STUDY/runs/RUN ngrams.arpa

The end-of-chapter token is `<s>` where it begins a chapter and `</s>` where it ends one. The unknown word of a closed
vocabulary is `<unk>`, with all that was counted of it, so a toolkit scores words that it does not know as we do. Open
tokenizers leave nothing unknown: theirs is there since toolkits ask for it, with log10 p = -100.
"""

import argparse
import math
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TextIO

import numpy as np

from nextchapter.models.ngram import Ngram
from nextchapter.models.registry import load_model
from nextchapter.store.files import atomic_path, read_json
from nextchapter.tokens.registry import load_tokenizer

BEGIN, END, UNKNOWN = "<s>", "</s>", "<unk>"
_LN_10 = math.log(10)
_NEVER = "-99"
_UNKNOWN_LOG10 = "-100"


def arpa_words(token_texts: Iterable[str], unknown: int | None = None) -> list[str]:
    """Return a word for each token: its text, with white space made visible.

    A space is U+2581, a line break U+240A, and so on through the pictures of control characters. Of tokens that would
    look alike all but the last carry their number, `A#38`: the tokenizers spell rare characters in bytes, and those
    stand first. So does a token that looks like `<unk>` and is not the unknown word.

    Args:
        token_texts: of all tokens.
        unknown: the token of the unknown word, where the vocabulary is closed.
    """
    words = [re.sub(r"[\s\0]", _visible, text) for text in token_texts]
    last = {word: token for token, word in enumerate(words)}
    reserved = (BEGIN, END, UNKNOWN, "")
    named = [
        word if last[word] == token and word not in reserved else f"{word}#{token}" for token, word in enumerate(words)
    ]
    if unknown is not None:
        named[unknown] = UNKNOWN
    return named


def _visible(space: re.Match[str]) -> str:
    code = ord(space[0])
    return "\u2581" if code == 0x20 else chr(0x2400 + code) if code < 0x20 else f"U+{code:04X}"


def save_arpa(path: Path | str, model: Ngram, words: Sequence[str], end_of_chapter: int) -> None:
    """Write an n-gram model as ARPA, atomically; equal models give equal bytes.

    Args:
        path: where to.
        model: as `fit` leaves it.
        words: of each token, as `arpa_words` gives them; a token named `<unk>` is the unknown word.
        end_of_chapter: the token that is written as `<s>` and `</s>`.

    Raises:
        ValueError: there is not one word for each token, or two tokens have the same.
    """
    if len(words) != model.vocabulary_size or len(set(words)) < len(words):
        raise ValueError(f"found {len(set(words))} different words; there must be {model.vocabulary_size}, one a token")
    as_context, as_last = list(words), list(words)
    as_context[end_of_chapter], as_last[end_of_chapter] = BEGIN, END
    orders, added = list(model.ngrams()), 1 if UNKNOWN in words else 2
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
        file.write("\\data\\\n")
        for k, (tokens, _, _) in enumerate(orders, start=1):
            file.write(f"ngram {k}={len(tokens) + (added if k == 1 else 0)}\n")
        for k, (tokens, log_probs, backoffs) in enumerate(orders, start=1):
            log10_backoffs = backoffs / _LN_10
            file.write(f"\n\\{k}-grams:\n")
            if k == 1:
                if UNKNOWN not in words:
                    file.write(f"{_UNKNOWN_LOG10}\t{UNKNOWN}\n")
                file.write(f"{_NEVER}\t{BEGIN}\t{log10_backoffs[end_of_chapter]:.7f}\n")
                log10_backoffs[end_of_chapter] = 0  # nothing follows </s>
            _write_ngrams(file, tokens, log_probs / _LN_10, log10_backoffs, as_context, as_last)
        file.write("\n\\end\\\n")


def _write_ngrams(
    file: TextIO,
    tokens: np.ndarray,
    log10_probs: np.ndarray,
    log10_backoffs: np.ndarray,
    as_context: Sequence[str],
    as_last: Sequence[str],
) -> None:
    """Write a line an n-gram; a back-off weight of 1 is left out."""
    for ngram, log10_prob, log10_backoff in zip(tokens, log10_probs, log10_backoffs, strict=True):
        *context, last = ngram.tolist()
        text = " ".join([*(as_context[token] for token in context), as_last[last]])
        weight = f"\t{log10_backoff:.7f}" if log10_backoff else ""
        file.write(f"{log10_prob:.7f}\t{text}{weight}\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Export the n-gram model of a run."""
    parser = argparse.ArgumentParser(prog="python -m nextchapter.models.arpa", description="Export a run as ARPA.")
    parser.add_argument("run", type=Path, help="folder of a run of the kind ngram: results/STUDY/runs/RUN")
    parser.add_argument("arpa", type=Path, help="file to write")
    arguments = parser.parse_args(argv)
    weights = arguments.run / "model.safetensors"
    model = load_model(weights) if weights.is_file() else None
    if not isinstance(model, Ngram):
        print(f"{arguments.run} holds no n-gram model; it must be the folder of a run of kind ngram", file=sys.stderr)
        return 1
    tokens = arguments.run.resolve().parents[1] / "tokens" / read_json(arguments.run / "run.json")["tokenizer"]
    tokenizer = load_tokenizer(tokens / "tokenizer.model")
    words = arpa_words(map(tokenizer.token_text, range(tokenizer.vocabulary_size)), tokenizer.unknown)
    save_arpa(arguments.arpa, model, words, tokenizer.end_of_chapter)
    return 0


if __name__ == "__main__":
    sys.exit(main())
