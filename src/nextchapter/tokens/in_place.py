"""The text of tokens as they stand in a text."""

from collections.abc import Sequence

from nextchapter.tokens.protocol import Tokenizer


def texts_in_place(tokenizer: Tokenizer, tokens: Sequence[int]) -> list[str]:
    """Return the text of each token of a chapter's beginning as it stands there: with its space, if there is one."""
    texts = []
    for before, token in zip([tokenizer.end_of_chapter, *tokens], tokens, strict=False):
        text = tokenizer.decode([before, token])[len(tokenizer.decode([before])) :]
        spelling = tokenizer.token_text(token)
        texts.append(text if text.strip() and "\ufffd" not in text else spelling)
    return texts
