from collections.abc import Callable
from pathlib import Path

import pytest

from nextchapter.report.predictions import Prediction, percent, read_predictions, shown

HEAD = "position,book,chapter,true,true_probability,predicted_1,probability_1,predicted_2,probability_2\n"


def test_tokens_that_look_like_numbers_or_like_nothing_stay_text(tmp_path: Path) -> None:
    path = tmp_path / "predictions.csv"
    path.write_text(HEAD + '7,"a,b",3,NA,0.25,12,0.5,nan,0.125\n8,"a,b",3,"""",0.5,"""",0.5," ,",0.25\n')
    passage = read_predictions(path)
    assert (passage.book, passage.chapter) == ("a,b", 3)
    first, second = passage.predictions
    assert (first.true, first.true_probability, first.ranked) == ("NA", 0.25, (("12", 0.5), ("nan", 0.125)))
    assert [first.hit, second.hit] == [False, True]
    assert second.ranked[1] == (" ,", 0.25)


def test_all_five_guesses_are_read(results_tree: Callable[..., Path]) -> None:
    passage = read_predictions(results_tree() / "runs/lstm-384.s1/predictions.csv")
    assert {len(prediction.ranked) for prediction in passage.predictions} == {5}


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "predictions.csv").write_text(HEAD)
    with pytest.raises(ValueError, match="no prediction"):
        read_predictions(tmp_path / "predictions.csv")


@pytest.mark.parametrize(
    ("token", "before", "text"),
    [
        (" heart", " my", "heart"),
        ("ing", " think", "…ing"),
        ("Mrs", "", "Mrs"),
        ("Mrs", "<0x0A>", "Mrs"),
        ("s", "'", "s"),
        (",", " heart", ","),
        (" “", " heart", "“"),
        ("<0x0A>", ".", "↵"),
        ("<0xE2>", "a", "byte E2"),
        (" ", "a", "␣"),
        ("   ", "a", "␣"),
        ("<end-of-chapter>", ".", "end of chapter"),
        ("", "a", "∅"),
        ("12", " heart", "12"),
        ("楼", "红", "…楼"),
    ],
)
def test_a_token_is_shown_as_a_reader_would_write_it(token: str, before: str, text: str) -> None:
    assert shown(token, before) == text


def test_a_word_is_whole_or_begins() -> None:
    after_a_letter = [" heart", "heart", " ,", "<0x0A>", " "]
    assert [Prediction("a", true, 0.5, ()).is_word for true in after_a_letter] == [True, False, False, False, False]
    assert Prediction("", "Mrs", 0.5, ()).is_word


def test_each_token_knows_the_one_before_it(results_tree: Callable[..., Path]) -> None:
    predictions = read_predictions(results_tree() / "runs/lstm-384.s1/predictions.csv").predictions
    assert [prediction.before for prediction in predictions] == ["", *(entry.true for entry in predictions[:-1])]


@pytest.mark.parametrize(
    ("probability", "text"),
    [
        (0.0, "< 0.1 %"),
        (0.0004, "< 0.1 %"),
        (0.0012, "0.1 %"),
        (0.032, "3.2 %"),
        (0.0996, "10 %"),
        (0.414, "41 %"),
        (1.0, "100 %"),
    ],
)
def test_a_probability_is_a_short_percentage(probability: float, text: str) -> None:
    assert percent(probability) == text
