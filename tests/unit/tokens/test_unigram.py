from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextchapter.spec.base import SpecError
from nextchapter.spec.tokens import UnigramSpec
from nextchapter.tokens.pieces import SPACE_MARK
from nextchapter.tokens.unigram import UnigramTokenizer


@given(st.text())
def test_any_text_comes_back(tokenizer: UnigramTokenizer, text: str) -> None:
    assert tokenizer.decode(tokenizer.encode(text)) == text


@given(st.text(alphabet=f"ab {SPACE_MARK}\n\t\0é漢\N{GRINNING FACE}"))
def test_spaces_line_breaks_and_the_space_mark_itself_come_back(tokenizer: UnigramTokenizer, text: str) -> None:
    tokens = tokenizer.encode(text)
    assert tokenizer.decode(tokens) == text
    assert tokenizer.token_characters()[tokens].sum() == len(text)
    assert tokenizer.end_of_chapter not in tokens


def test_a_lone_surrogate_is_refused(tokenizer: UnigramTokenizer) -> None:
    with pytest.raises(ValueError, match=r"lone surrogate '\\ud800' at character 1"):
        tokenizer.encode("a\ud800")


def test_the_end_of_a_chapter_has_no_text(tokenizer: UnigramTokenizer) -> None:
    end = tokenizer.end_of_chapter
    assert tokenizer.decode([*tokenizer.encode("the end"), end]) == "the end"
    assert tokenizer.token_text(end) == "<end-of-chapter>"
    assert tokenizer.token_characters()[end] == 0


def test_paragraph_breaks_are_tokens_of_their_own(tokenizer: UnigramTokenizer) -> None:
    texts = [tokenizer.token_text(token) for token in tokenizer.encode("the\n\nand\nof")]
    assert "\n\n" in texts
    assert "\n" in texts


def test_training_twice_gives_the_same_model_and_it_loads_back(
    tokenizer: UnigramTokenizer, salad: str, tmp_path: Path
) -> None:
    again = UnigramTokenizer.train([salad], UnigramSpec(vocabulary_size=500))
    assert again.model == tokenizer.model
    again.save(tmp_path / "t.model")
    assert UnigramTokenizer.load(tmp_path / "t.model").encode("the and") == tokenizer.encode("the and")
    assert tokenizer.vocabulary_size == 500


@pytest.mark.parametrize("script", ["English", "Chinese"])
def test_a_text_too_small_for_the_vocabulary_is_refused_with_a_size_that_works(salad: str, script: str) -> None:
    text = salad[:5000] if script == "English" else _characters(6000)
    with pytest.raises(SpecError, match=r"found 2000; .* to \d+, or add") as told:
        UnigramTokenizer.train([text], UnigramSpec(vocabulary_size=2000))
    proposed = int(str(told.value).split("vocabulary_size to ")[1].split(",")[0])
    assert UnigramTokenizer.train([text], UnigramSpec(vocabulary_size=proposed)).vocabulary_size == proposed


def test_a_script_of_thousands_of_characters_fits_a_small_vocabulary() -> None:
    text = _characters(30_000)
    tokenizer = UnigramTokenizer.train([text], UnigramSpec(vocabulary_size=1000))
    assert tokenizer.decode(tokenizer.encode(text)) == text


def _characters(length: int) -> str:
    ranks = np.random.default_rng(0).zipf(1.3, size=length)
    return "".join(chr(0x4E00 + int(rank)) for rank in np.minimum(ranks, 5000))


def test_a_text_too_small_for_any_vocabulary_needs_books() -> None:
    with pytest.raises(SpecError, match="Add books to the shelf"):
        UnigramTokenizer.train(["A short tale."], UnigramSpec(vocabulary_size=300))


def test_nothing_to_learn_from_is_refused() -> None:
    with pytest.raises(SpecError, match="hold no text"):
        UnigramTokenizer.train(["\n"], UnigramSpec(vocabulary_size=300))
