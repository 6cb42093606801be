"""Samples of what authors have written, small and spread over all of it, to compare a text with."""

from collections import defaultdict
from collections.abc import Sequence

from nextchapter.corpus.passages import cut_words, spread_out

CHAPTERS_MAX = 30
"""So many chapters of an author are sampled, spread evenly over all."""
WORDS_MAX = 60_000
"""So many words of an author, shared out evenly among the sampled chapters."""
AUTHORS_MAX = 40
"""Of more authors than this, those are sampled of whom there are most words."""


def author_key(author: str) -> str:
    """Return what spellings of a name have in common: `G.K. Chesterton` and `G. K. Chesterton` are one author."""
    return "".join(filter(str.isalnum, author.casefold()))


def choose_chapters(authors: Sequence[str], words: Sequence[int], first: str = "") -> dict[str, list[int]]:
    """Return for each author which chapters to sample, by their places; who has written most comes first.

    Args:
        authors: who wrote each chapter; spellings of one name are one author, who is called by the first of them.
        words: the length of each chapter.
        first: an author who comes before all others, however little there is.
    """
    names: dict[str, str] = {}
    chapters: dict[str, list[int]] = defaultdict(list)
    for place, author in enumerate(authors):
        chapters[names.setdefault(author_key(author), author)].append(place)
    totals = {author: sum(words[place] for place in places) for author, places in chapters.items()}
    in_order = sorted(chapters, key=lambda author: (author_key(author) != author_key(first), -totals[author]))
    return {author: spread_out(chapters[author], CHAPTERS_MAX) for author in in_order[:AUTHORS_MAX]}


def cut_samples(texts: Sequence[str]) -> list[str]:
    """Return the beginnings of some chapters, alike in length where the chapters are long enough."""
    words = WORDS_MAX // max(len(texts), 1)
    return [cut_words(text, 0, words) for text in texts]
