from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nextchapter.report.model_card import render_card
from nextchapter.spec.base import digest
from nextchapter.store.files import read_json

TRAIN = {"chapters": 105, "characters": 1_661_674, "words": 299_406}


@pytest.fixture
def card_of(results_tree: Callable[..., Path]) -> Callable[..., str]:
    """Return a function that sets the card of a run; what is given replaces parts of its files."""
    folder = results_tree(runs={"lstm-384.s1": ("lstm", 4.15, 2.08)}) / "runs" / "lstm-384.s1"

    def make(books: int = 1, licence: str | None = None, **changes: Any) -> str:
        run, metrics, examination = (read_json(folder / f"{name}.json") for name in ("run", "metrics", "examination"))
        account = {
            "books": [{"book": f"b{number}", "title": "", "author": ""} for number in range(books)],
            "totals": {"chapters": 129, "splits": {"train": TRAIN}},
        }
        for part in (run, examination, metrics["splits"]["test"]):
            part.update({key: value for key, value in changes.items() if key in part or part is run})
        return render_card(run, metrics, examination, account, licence)

    return make


def test_the_card_gives_digests_scores_and_what_is_copied(card_of: Callable[..., str]) -> None:
    card = card_of(licence="CC0")
    assert card.startswith("# lstm-384.s1, champion of the study austen\n")
    assert digest({"train": "5a", "valid": "7b"}) in card
    assert "| 11 that no run had seen | 2.080 | 2.059 to 2.103 |" in card
    assert "105 of 129 chapters: 1,661,674 characters, 299,406 words" in card
    assert "at most 7 in a row" in card
    assert "“&lt;so&gt; it was, and”, from austen-emma, chapter 35" in card
    assert "Of the books: CC0. Of the program: MIT." in card


def test_what_is_not_known_or_not_there_is_said_or_left_out(card_of: Callable[..., str]) -> None:
    card = card_of(ci_low=None, copied_from=None)
    assert "The licence of the books is not known" in card
    assert "| 11 that no run had seen | 2.080 |  |" in card
    assert "The longest" not in card


def test_a_chapter_that_copies_too_much_is_told(card_of: Callable[..., str]) -> None:
    assert "**That is more than the 20 words in a row that are allowed.**" in card_of(flagged=True)


def test_names_of_others_are_shown_and_do_nothing(card_of: Callable[..., str]) -> None:
    card = card_of(study="<img src=x>\n# a [link](x) *b*", licence="<b> & `c` | d")
    assert card.startswith(r"# lstm-384.s1, champion of the study &lt;img src=x&gt; # a \[link\](x) \*b\*" + "\n")
    assert r"Of the books: &lt;b&gt; &amp; \`c\` \| d. Of the program: MIT." in card


def test_a_large_shelf_and_a_mixture_stay_readable(card_of: Callable[..., str]) -> None:
    card = card_of(books=1_014, members=["a.s1", "b.s1"])
    assert "*b11*; and 1,002 more." in card
    assert "of the kind `lstm`, made of a.s1, b.s1:" in card


def test_a_run_that_was_given_a_share_of_the_chapters_says_so(card_of: Callable[..., str]) -> None:
    whole = card_of()
    part = card_of(train_share=0.5, train_chapters=52, train_tokens=210_000)
    assert part == whole.replace("299,406 words.", "299,406 words. Of these it was given 52 chapters, 210,000 tokens.")
