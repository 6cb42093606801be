import pytest

from nextchapter.corpus.words import count_words
from nextchapter.evaluation.style import distinct_share, longest_repetition, measure_style, type_token_curve


def test_distinct_is_counted_by_hand() -> None:
    words = "to be or not to be".split()
    assert [distinct_share(words, n) for n in (1, 2, 3, 7)] == [4 / 6, 4 / 5, 1.0, 1.0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("to be to be to be", 4), ("he he he he", 3), ("a b c d", 0), ("", 0), ("a a", 1), ("a b a", 0),
        ("x the cat sat the cat sat y", 3), ("a b c a b d", 0),
    ],
)  # fmt: skip
def test_the_longest_repetition(text: str, words: int) -> None:
    assert longest_repetition(text.split()) == words


@pytest.mark.parametrize(
    ("text", "spoken", "words"),
    [
        ('"Come here," said she. "At once."', 4, 6),
        ("“Come here,” said she.", 2, 4),
        ("« Venez ici », dit-elle.", 2, 3),
        ("„Komm her“, sagte sie.", 2, 4),
        ("— Иди сюда, — сказала она.", 4, 4),
        ("– Viens ici.\n\nElle sortit de la salle.", 2, 7),
        ("「来」と言った", 1, 5),
        ('He went.\n\n"A speech that goes on', 5, 7),
        ("It was well-known - and so it was.", 0, 7),
    ],
)
def test_the_share_of_dialogue(text: str, spoken: int, words: int) -> None:
    assert measure_style(text)["dialogue_share"] == pytest.approx(spoken / words)


def test_lengths_of_sentences_and_paragraphs() -> None:
    found = measure_style('One two three. Four five!\n\n"Six seven?" eight nine ten…\n\n* * *')
    assert found["sentence_words"] == pytest.approx(10 / 4)
    assert found["paragraph_words"] == 5
    assert measure_style("one two three four one two three four five")["repeated_4gram_share"] == pytest.approx(1 / 6)


@pytest.mark.parametrize("text", ["هل جاء؟ جاء الولد.", "वह घर गई। वह घर गई॥", "Նա եկավ։ Նա եկավ։", "我去。我去！"])
def test_sentences_end_with_the_marks_of_their_script(text: str) -> None:
    assert measure_style(text)["sentence_words"] == count_words(text) / 2


def test_the_curve_counts_different_words() -> None:
    text = " ".join(["A b a c"] * 3 + [f"w{number}" for number in range(18)])
    assert type_token_curve(text) == [3, 11, 21]
    assert type_token_curve("a b c") == []
