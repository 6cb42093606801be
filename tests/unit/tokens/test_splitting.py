import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextchapter.tokens.splitting import JOIN, SPACE, UNKNOWN, Lines, Prose

PROSE, LINES = Prose(), Lines()


class Everything:
    """A vocabulary that holds each word."""

    def __contains__(self, word: object) -> bool:
        return True


@given(text=st.text() | st.text(alphabet="ab .,'\"(-)\n漢é\u0301“”_"))
def test_prose_of_known_words_comes_back_as_it_was(text: str) -> None:
    assert "".join(PROSE.pieces(PROSE.split(text, Everything()))) == text


@given(text=st.text(alphabet="ab .,'\"(-)\n漢“”"), known=st.sets(st.sampled_from([*"ab.,'\"(-)漢“”", "ab", "ba"])))
def test_where_words_are_unknown_all_the_rest_comes_back(text: str, known: set[str]) -> None:
    known |= set(PROSE.special)
    surfaces = PROSE.split(text, known)
    read = [surface if surface in known else UNKNOWN for surface in surfaces]
    pieces = list(PROSE.pieces(read))
    restored = [
        piece.replace(UNKNOWN, surface) if surface not in known else piece
        for piece, surface in zip(pieces, surfaces, strict=True)
    ]
    assert "".join(restored) == text


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ('"Oh!" said she, "no."', ['"', "Oh", "!", '"', "said", "she", ",", '"', "no", ".", '"']),
        ("Emma's sister-in-law (52%) came.", ["Emma's", "sister-in-law", "(", "52", "%", ")", "came", "."]),
        ("one\n\ntwo\nthree", ["one", "\n\n", "two", "\n", "three"]),
        ("“So—well,” she", ["“", "So", "—", "well", ",", "”", "she"]),
        ("a  b ,c", ["a", SPACE, SPACE, "b", SPACE, ",", JOIN, "c"]),
        ("我们走吧。好", ["我", "们", "走", "吧", "。", "好"]),
        ("किताब है", ["किताब", "है"]),
    ],
)
def test_spaces_are_no_tokens_where_the_rule_says_them(text: str, tokens: list[str]) -> None:
    assert PROSE.split(text, Everything()) == tokens


def test_a_quotation_that_is_left_open_ends_with_its_paragraph() -> None:
    assert PROSE.split('"a\n\n"b" c', Everything()) == ['"', "a", "\n\n", '"', "b", '"', "c"]


def test_lines_are_words_as_they_are_with_an_end_each() -> None:
    surfaces = LINES.split(" = Title = \n\nA <unk> @-@ b\u3000c", set())
    assert surfaces == ["=", "Title", "=", "<eos>", "<eos>", "A", "<unk>", "@-@", "b", "c"]
    assert "".join(LINES.pieces(surfaces)) == "= Title =\n\nA <unk> @-@ b c"


def test_a_word_between_any_white_space_ends_where_it_stands_in_its_line() -> None:
    text = " the  cat\tsat \n\n on \n"
    ends = list(LINES.ends(text, ()))
    cut = [text[start:end] for start, end in zip([0, *ends[:-1]], ends, strict=True)]
    assert cut == [" the", "  cat", "\tsat", " \n", "\n", " on", " \n"]
    assert [piece.strip(" \t").replace("\n", "<eos>") for piece in cut] == LINES.split(text, ())


@given(text=st.text(alphabet="ab .,'\"(-)\n漢“”"), known=st.sets(st.sampled_from([*"ab.,'\"(-)漢“”", "ab", "ba"])))
def test_a_token_of_prose_ends_where_its_own_letters_do_known_or_not(text: str, known: set[str]) -> None:
    known |= set(PROSE.special)
    surfaces, ends = PROSE.split(text, known), list(PROSE.ends(text, known))
    assert len(ends) == len(surfaces)
    assert not ends or ends[-1] == len(text)
    for surface, end in zip(surfaces, ends, strict=True):
        assert surface == JOIN or text[:end].endswith(surface)
