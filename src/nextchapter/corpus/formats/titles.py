"""What the title of a web page says of the book on it."""

import re

_BRAND = re.compile(
    r"^(?:\W*The Project Gutenberg(?:'s|’s)?\s+(?:E-?(?:Book|Text)\s+(?:of|:)?|,)?\s*)|"
    r"\W*(?:\||[-–—:]+)?\s*(?:a |the )?Project Gutenberg(?:'s|’s)?(?:\s+E-?(?:Book|Text))?\W*$",
    re.IGNORECASE,
)
_BY = re.compile(r"(?P<title>.+?),? by (?P<author>[^,]{2,80})", re.IGNORECASE)


def split_title(title: str) -> tuple[str, str]:
    """Return title and author of a book from the title of its page; the author is empty where it names none.

    Only a title that carries the name of Project Gutenberg follows its form `TITLE, by AUTHOR`.
    """
    bare = _BRAND.sub("", title).strip()
    named = _BY.fullmatch(bare) if bare != title.strip() else None
    return (named["title"].strip(), named["author"].strip()) if named else (bare, "")
