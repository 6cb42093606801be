"""Made-up prose, wrapped as a typist would, and books made of it."""

import random
import textwrap
from collections.abc import Callable, Sequence

import pytest

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
