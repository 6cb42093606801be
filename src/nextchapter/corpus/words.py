"""What counts as a word."""

import re

# Letters and digits with inner apostrophes and hyphens; in scripts without spaces each character is a word.
WORD = re.compile(
    r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
    r"|[^\W_\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+(?:['’-][^\W_]+)*"
)


def count_words(text: str) -> int:
    """Return the number of words of a text."""
    return len(WORD.findall(text))
