import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from nextchapter.report.chapters import CHAPTERS_OPEN, PASSAGES_MAX, Chapter, chapters_page
from nextchapter.report.predictions import read_predictions


def chapters_of(study: Path, **facts: Any) -> list[Chapter]:
    return [
        Chapter(
            (folder / "chapter.md").read_text(),
            json.loads((folder / "chapter.json").read_text()) | facts,
            read_predictions(folder / "predictions.csv"),
            json.loads((folder / "examination.json").read_text()),
        )
        for folder in sorted((study / "runs").iterdir())
    ]


@pytest.fixture
def scores() -> dict[str, tuple[float, float]]:
    return {"elman-384.s1": (2.3, 2.2), "gru-384.s1": (2.1, 2.1), "lstm-384.s1": (2.0, 2.0)}


@pytest.fixture
def html(results_tree: Callable[..., Path], leaderboard_of: Callable[..., pd.DataFrame], scores: dict[str, Any]) -> str:
    study = results_tree()
    return chapters_page(chapters_of(study), leaderboard_of(scores), (study / "next-chapter.md").read_text())


def test_the_page_nests_and_fetches_nothing(html: str, read_page: Callable[[str], Any]) -> None:
    page = read_page(html)
    assert page.nests
    assert not {"script", "link", "img", "iframe"} & set(page.tags)
    assert "http://" not in html
    assert "https://" not in html
    assert "url(" not in html


def test_the_champions_chapter_comes_first_and_then_all_by_rank(html: str, read_page: Callable[[str], Any]) -> None:
    text = read_page(html).text
    assert "Written by lstm-384.s1, the champion of 3 networks" in text
    assert "chapter 24 of austen-persuasion" in text
    places = [text.index(part) for part in ("CHAPTER XXV", "They walked on", "rank 1", "rank 2", "rank 3")]
    assert places == sorted(places)
    assert text.index("gru-384.s1") < text.index("elman-384.s1")
    assert text.count("They walked on; and the wind rose.") == 4


def test_text_is_text_and_no_markup(html: str, read_page: Callable[[str], Any]) -> None:
    page = read_page(html)
    assert 'being "in love with <b>Anne</b> & the sea."' in page.text
    assert "<b>Anne" not in html


def test_where_each_chapter_comes_from_is_told(
    results_tree: Callable[..., Path],
    leaderboard_of: Callable[..., pd.DataFrame],
    scores: dict[str, Any],
    read_page: Callable[[str], Any],
) -> None:
    study = results_tree()
    drawn = chapters_of(study, opening="Captain", opening_drawn=True, ended_by="end-of-chapter", words=1234, seed=7)
    page = chapters_page(drawn, leaderboard_of(scores), "# II\n\nCaptain Wentworth.")
    text = " ".join(read_page(page).text.split())
    assert "“Captain” was drawn by chance (seed 7)" in text
    assert "ended the chapter itself, after 1,234 words." in text
    assert '<span class="opening">Captain</span> Wentworth.' in page
    given = chapters_of(study, opening="It <was>", opening_drawn=False, ended_by="length")
    page = chapters_page(given, leaderboard_of(scores), "# II\n\nIt <was> so.")
    text = " ".join(read_page(page).text.split())
    assert "“It <was>” was given" in text
    assert "was stopped at the length asked for" in text
    assert '<span class="opening">It &lt;was&gt;</span> so.' in page


def test_each_word_of_the_passage_has_its_probability_and_five_guesses(
    html: str, results_tree: Callable[..., Path], read_page: Callable[[str], Any]
) -> None:
    passage = read_predictions(results_tree("again") / "runs/lstm-384.s1/predictions.csv").predictions
    page = read_page(html)
    guesses = [value for name, value in page.attributes if name == "class" and value.startswith("guess ")]
    assert len(guesses) == 3 * 5 * len(passage)
    assert sum("hit" in value.split() for value in guesses) >= 3
    hits = sum(prediction.hit for prediction in passage)
    assert f"{hits} of {len(passage)} foreseen" in page.text
    assert "Emma smiled , and answered , “ My dear Harriet" in page.text


def test_the_more_probable_the_deeper(html: str, read_page: Callable[[str], Any]) -> None:
    styles = [value for name, value in read_page(html).attributes if name == "style"]
    shades = {float(value.removeprefix("--a:")) for value in styles}
    assert len(shades) == 6
    assert 0 < min(shades) < 0.05
    assert 0.3 < max(shades) <= 0.7


def test_a_chapter_without_heading_or_words_is_set(
    results_tree: Callable[..., Path], leaderboard_of: Callable[..., pd.DataFrame], read_page: Callable[[str], Any]
) -> None:
    study = results_tree("one", {"gru.s1": ("gru", 4.2, 2.1)})
    for text in ("", "# \n", "no heading"):
        page = read_page(chapters_page(chapters_of(study), leaderboard_of({"gru.s1": (2.0, 2.0)}), text))
        assert page.nests
        assert "the one network" in page.text
        assert ("no heading" in page.text) == (text == "no heading")


def test_of_very_many_runs_all_chapters_and_the_best_passages_are_shown(
    results_tree: Callable[..., Path], leaderboard_of: Callable[..., pd.DataFrame], read_page: Callable[[str], Any]
) -> None:
    one = chapters_of(results_tree("one", {"gru.s1": ("gru", 4.2, 2.1)}))[0]
    names = [f"gru-{number}.s1" for number in range(40)]
    many = [one._replace(facts={**one.facts, "run": name}) for name in names]
    page = read_page(chapters_page(many, leaderboard_of(dict.fromkeys(names, (2.0, 2.0))), one.markdown))
    assert page.tags.count("details") == 40 + 1 + PASSAGES_MAX
    assert f"{40 - CHAPTERS_OPEN} more networks" in page.text
    assert f"The {PASSAGES_MAX} best of 40 networks are shown." in page.text


def test_chapters_of_other_runs_are_refused(
    results_tree: Callable[..., Path], leaderboard_of: Callable[..., pd.DataFrame]
) -> None:
    with pytest.raises(ValueError, match="leaderboard of"):
        chapters_page(chapters_of(results_tree()), leaderboard_of({"gru-384.s1": (2.0, 2.0)}), "# I\n\nText.")
