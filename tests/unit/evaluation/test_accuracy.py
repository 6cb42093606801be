from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest

from nextchapter.corpus.frequencies import place_words
from nextchapter.evaluation.accuracy import guess_words, prolonging_tokens
from nextchapter.evaluation.foresight import Foresight
from nextchapter.spec.tokens import WordsSpec
from nextchapter.tokens.bytes import BytesTokenizer
from nextchapter.tokens.protocol import END_OF_CHAPTER, Tokenizer
from nextchapter.tokens.words import WordsTokenizer


class Pieces(Tokenizer):
    """A tokenizer of given pieces, so that each case can be laid out by hand."""

    kind = "pieces"
    end_of_chapter = 0

    def __init__(self, pieces: Iterable[str]) -> None:
        self.pieces = [END_OF_CHAPTER, *pieces]
        self.vocabulary_size = len(self.pieces)

    @classmethod
    def train(cls, texts: Iterable[str], spec: Any) -> "Pieces":
        raise NotImplementedError

    @classmethod
    def from_payload(cls, payload: bytes) -> "Pieces":
        raise NotImplementedError

    def payload(self) -> bytes:
        return b""

    def encode_array(self, text: str) -> np.ndarray:
        raise NotImplementedError

    def decode(self, tokens: Iterable[int]) -> str:
        return "".join(self.pieces[token] for token in tokens)

    def token_text(self, token: int) -> str:
        return self.pieces[token]

    def token_characters(self) -> np.ndarray:
        return np.array([0, *map(len, self.pieces[1:])])

    def is_boundary(self, token: int) -> bool:
        return False

    def ids(self, *pieces: str) -> np.ndarray:
        return np.array([self.pieces.index(piece) for piece in pieces])


def foreseen(
    tokenizer: Tokenizer, text: str, tokens: np.ndarray, likeliest: np.ndarray, is_judged: np.ndarray | None = None
) -> tuple[list[bool], list[bool]]:
    (words,) = place_words([text], [])
    judged = np.ones(len(tokens), bool) if is_judged is None else is_judged
    told = Foresight(np.zeros(len(tokens)), judged, likeliest, np.zeros(len(tokens)), judged)
    ends = tokenizer.token_ends(text, tokens)
    guesses = guess_words(told, tokens, ends, words, prolonging_tokens(tokenizer), tokenizer.unknown)
    return guesses.is_judged.tolist(), guesses.is_foreseen.tolist()


TOKENIZER = Pieces([" walk", "ed", " home", ",", "ing", " he", "'s", "Who", ". W"])
TEXT = "Who walked, he walked"
TOKENS = ("Who", " walk", "ed", ",", " he", " walk", "ed", END_OF_CHAPTER)


@pytest.mark.parametrize(
    ("guessed", "words"),
    [
        (TOKENS, [True, True, True, True]),
        (
            ("Who", " walk", "ing", ",", " he", " walk", "ed", END_OF_CHAPTER),
            [True, False, True, True],
        ),  # one piece off
        (("Who", " home", "ed", ",", " he", " walk", "ed", END_OF_CHAPTER), [True, False, True, True]),
        (("Who", " walk", "ed", "ing", " he", " walk", "ed", END_OF_CHAPTER), [True, False, True, True]),  # it goes on
        (("Who", " walk", "ed", " home", " he", " walk", "ed", END_OF_CHAPTER), [True, True, True, True]),  # it ends
        (("Who", " walk", "ed", ",", " he", "'s", "ed", END_OF_CHAPTER), [True, True, False, False]),  # he's
        (("Who", " walk", "ed", ",", " he", " walk", "ed", "ing"), [True, True, True, False]),
    ],
)
def test_a_word_is_foreseen_when_all_its_pieces_are_and_it_ends_there(
    guessed: tuple[str, ...], words: list[bool]
) -> None:
    judged, found = foreseen(TOKENIZER, TEXT, TOKENIZER.ids(*TOKENS), TOKENIZER.ids(*guessed))
    assert judged == [True] * 4
    assert found == words


def test_a_token_that_holds_the_end_of_a_word_and_more_must_be_foreseen_too() -> None:
    tokenizer = Pieces(["Who", " he", "?. W", ". Walk", "alk", "e. W"])
    text, tokens = "he. Walk", ("e. W", "alk", END_OF_CHAPTER)
    tokens = ("h", *tokens)
    tokenizer = Pieces(["h", "e. W", "alk", "e"])
    ids = tokenizer.ids(*tokens)
    assert foreseen(tokenizer, text, ids, ids)[1] == [True, True]
    assert foreseen(tokenizer, text, ids, tokenizer.ids("h", "e", "alk", END_OF_CHAPTER))[1] == [False, False]


def test_a_word_counts_where_it_and_the_token_behind_it_were_judged() -> None:
    ids = TOKENIZER.ids(*TOKENS)
    is_judged = np.array([True, True, True, False, True, True, True, True])
    assert foreseen(TOKENIZER, TEXT, ids, ids, is_judged) == ([True, False, True, True], [True, False, True, True])


def test_greedy_writing_of_letters_and_of_whole_words_is_judged_alike() -> None:
    """The same guesses, told letter by letter and word by word: `he` for `she` is wrong, all others are right."""
    text, guess = "if she saw her", "if the saw her"
    letters = BytesTokenizer()
    tokens, likeliest = (np.append(letters.encode_array(one), 256) for one in (text, guess))
    words = WordsTokenizer.train([text, guess], WordsSpec(minimum_count=1))
    whole, guessed = (np.append(words.encode_array(one), words.end_of_chapter) for one in (text, guess))
    assert foreseen(letters, text, tokens, likeliest)[1] == [True, False, True, True]
    assert foreseen(words, text, whole, guessed)[1] == [True, False, True, True]


def test_a_letter_of_several_bytes_belongs_to_its_word_and_an_unknown_word_is_never_right() -> None:
    letters = BytesTokenizer()
    tokens = np.append(letters.encode_array("né ou"), 256)
    wrong = tokens.copy()
    wrong[2] = 7  # the second byte of é
    assert foreseen(letters, "né ou", tokens, tokens)[1] == [True, True]
    assert foreseen(letters, "né ou", tokens, wrong)[1] == [False, True]
    words = WordsTokenizer.train(["the cat the cat sat"], WordsSpec(minimum_count=2))
    ids = np.append(words.encode_array("the dog the cat"), words.end_of_chapter)
    assert foreseen(words, "the dog the cat", ids, ids)[1] == [True, False, True, True]


@pytest.mark.parametrize(
    ("text", "behind", "is_whole"),
    [
        ("в мир", "а", False),
        ("в мир", "»", True),
        ("un né", "è", False),
        ("un né", "…", True),
        ("저 강", "은", False),
        ("我 去", "了", True),  # each of these characters is a word
    ],
)
def test_a_byte_that_begins_letters_prolongs_a_word(text: str, behind: str, is_whole: bool) -> None:
    letters = BytesTokenizer()
    tokens = np.append(letters.encode_array(text), 256)
    guessed = tokens.copy()
    guessed[-1] = letters.encode_array(behind)[0]
    assert foreseen(letters, text, tokens, guessed)[1] == [True, is_whole]
