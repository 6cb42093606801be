"""Made-up prose, wrapped as a typist would, and books made of it."""

import random
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from nextchapter.corpus.books import Chapter, write_chapters

WORDS = """the of and to in that he it with as had for not at her on be him but she they which all from one by there
were so what when out up into their about no if more like little time some them now down old see man went came"""


@pytest.fixture(scope="session")
def prose() -> Callable[[int, int], str]:
    """Return a function that makes wrapped paragraphs of about so many characters, other ones for another seed."""

    def make(characters: int = 2500, seed: int = 0) -> str:
        generator = random.Random(seed)
        paragraphs: list[str] = []
        while sum(map(len, paragraphs)) < characters:
            sentences = [" ".join(generator.choices(WORDS.split(), k=generator.randint(6, 18))) for _ in range(4)]
            text = " ".join(f"{sentence.capitalize()}." for sentence in sentences)
            paragraphs.append(textwrap.fill(text, 70))
        return "\n\n".join(paragraphs)

    return make


@pytest.fixture(scope="session")
def book_of(prose: Callable[[int, int], str]) -> Callable[..., list[str]]:
    """Return a function that makes the lines of a book: what stands before, then each heading with prose behind it."""

    def make(headings: Sequence[str], front: str = "", end: str = "", characters: int = 2500) -> list[str]:
        sizes = (1.6, 0.6, 1.0)
        chapters = [
            f"\n\n\n\n{heading}\n\n{prose(int(characters * sizes[place % 3]), place)}"
            for place, heading in enumerate(headings)
        ]
        return (front + "".join(chapters) + end).split("\n")

    return make


@pytest.fixture(scope="session")
def sentences() -> Callable[[int, int], str]:
    """Return a function that makes so many words, of which no five stand together twice; others for another seed."""

    def make(words: int, seed: int = 0) -> str:
        generator = random.Random(seed)
        return " ".join(f"{generator.choice('bcdfgklmnprst')}{generator.randrange(3000)}" for _ in range(words))

    return make


@pytest.fixture
def write_shelf(tmp_path: Path) -> Callable[..., list[Path]]:
    """Return a function that writes the chapters' texts of each book of a shelf to tables, so many books to a table."""

    def write(shelf: dict[str, Sequence[str]], books_per_table: int = 1, name: str = "") -> list[Path]:
        rows = [[Chapter(book, "", "", "", place, "", text) for place, text in enumerate(texts, start=1)]
                for book, texts in shelf.items()]  # fmt: skip
        paths = []
        for start in range(0, len(rows), books_per_table):
            paths.append(tmp_path / f"{name}{start:03d}.parquet")
            write_chapters(paths[-1], [chapter for book in rows[start : start + books_per_table] for chapter in book])
        return paths

    return write
