"""The page of `nextchapter play`, used as a person does: with the pointer, with the keyboard, on a telephone."""

import re
from pathlib import Path
from typing import Any

import pytest

Tab = Any  # of conftest.py
ATTACK = "<script>alert(1)</script><img src=x onerror=alert(2)>"
CTRL = 2
DONE = "document.querySelector('{0} .sheets .prose') && !document.querySelector('{0} .writing')"


@pytest.fixture
def page(tab: Tab, address: str) -> Tab:
    """Return a tab with the page, ready."""
    tab.open(address)
    tab.wait_for("!document.getElementById('desk').hidden")
    return tab


def choose(page: Tab, select: str, run: str) -> None:
    page.evaluate(f"document.getElementById('{select}').value = 'shelf/{run}'")


def set_words(page: Tab, count: int) -> None:
    page.evaluate(f"document.getElementById('words').value = {count}")


def write(page: Tab, opening: str, words: int = 40) -> None:
    set_words(page, words)
    page.click("#opening")
    page.write(opening)
    page.press("Enter", CTRL)
    page.wait_for(DONE.format("#write-panel"))


def texts(page: Tab, selector: str) -> list[str]:
    return page.evaluate(f"[...document.querySelectorAll('{selector}')].map((found) => found.textContent)")


def test_a_chapter_arrives_and_markup_in_it_is_only_text(page: Tab, address: str) -> None:
    write(page, f"The dog {ATTACK}")
    assert texts(page, ".prose .opening") == [f"The dog {ATTACK}"]
    assert len(texts(page, ".prose .word")) > 5
    assert page.evaluate("[document.scripts.length, document.images.length]") == [1, 0]
    assert re.fullmatch(r"\d+ words\. (It reached|Here it ended) .*", texts(page, ".status")[0])
    assert page.errors == []
    assert all(request.startswith((address, "data:")) for request in page.requests)


def test_the_pointer_shows_what_else_might_have_come(page: Tab) -> None:
    write(page, "The")
    assert page.evaluate("document.getElementById('card').hidden")
    page.point_at(".word:nth-of-type(5)")
    page.wait_for("!document.getElementById('card').hidden")
    assert texts(page, "#card h2") == [texts(page, ".word")[3]]
    shares = [float(share.replace("\xa0%", "")) for share in texts(page, "#card li span:last-child")]
    assert len(shares) in (5, 6)
    assert shares[:5] == sorted(shares[:5], reverse=True)
    assert texts(page, "#card .written span:first-child")
    page.point_at("h1")
    page.wait_for("document.getElementById('card').hidden")


def test_everything_works_by_keyboard(page: Tab) -> None:
    set_words(page, 40)
    page.evaluate("document.getElementById('opening').focus()")
    page.write("The")
    page.press("Tab")
    page.press("Enter")
    page.wait_for(DONE.format("#write-panel"))
    words = texts(page, ".word")
    page.evaluate("document.querySelector('.leaf header button').focus()")
    page.press("Tab")
    shown = []
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft", "End", "Home"):
        shown += texts(page, "#card h2")
        page.press(key)
    assert [*shown, *texts(page, "#card h2")] == [words[0], words[1], words[2], words[1], words[-1], words[0]]
    assert page.evaluate("document.activeElement.getAttribute('aria-describedby')") == "card"
    page.press("Escape")
    assert page.evaluate("document.getElementById('card').hidden")
    page.evaluate("document.getElementById('write-tab').focus()")
    page.press("ArrowRight")
    assert page.evaluate("[document.activeElement.id, document.getElementById('read-panel').hidden]") == [
        "read-tab",
        False,
    ]


def test_a_word_in_pieces_tells_each_of_them(page: Tab) -> None:
    choose(page, "first", "bytes.s1")
    write(page, "The")
    page.evaluate("[...document.querySelectorAll('.word')].find((word) => word.told.pieces.length > 2).focus()")
    count = page.evaluate("document.querySelector('.word.shown').told.pieces.length")
    shown = texts(page, "#card .piece")
    assert len(shown) == min(count, 7)
    assert count <= 6 or shown[-1] == f"and {count - 6} more"


def test_writing_is_stopped_and_what_is_there_is_copied(page: Tab, address: str) -> None:
    page.call("Browser.grantPermissions", permissions=["clipboardReadWrite", "clipboardSanitizedWrite"])
    set_words(page, 2000)
    page.click("#write .main")
    page.wait_for("document.querySelectorAll('.word').length > 5")
    page.click("#write .stop")
    page.wait_for(DONE.format("#write-panel"))
    words = texts(page, ".word")
    assert texts(page, ".status") == [f"Stopped by you after {len(words)} words."]
    assert len(words) < 2000
    page.click(".leaf header button")
    page.wait_for("document.querySelector('.leaf header button')?.textContent === 'Copied'")
    assert [page.evaluate("navigator.clipboard.readText()")] == texts(page, ".prose")


def test_another_try_writes_another_text_and_the_same_seed_the_same(page: Tab) -> None:
    write(page, "The")
    first = texts(page, ".prose")
    page.click("#again")
    page.wait_for(f"{DONE.format('#write-panel')} && document.querySelector('.prose')?.textContent.length > 50")
    assert texts(page, ".prose") != first
    page.click("#settings [type=reset]")
    set_words(page, 40)
    page.click("#write .main")
    page.wait_for(f"{DONE.format('#write-panel')} && document.querySelector('.prose')?.textContent.length > 50")
    assert texts(page, ".prose") == first


def test_two_models_write_side_by_side(page: Tab) -> None:
    choose(page, "second", "bytes.s1")
    write(page, "The house")
    assert texts(page, ".sheets h2") == ["words.s1", "bytes.s1"]
    first, second = texts(page, ".prose")
    assert first != second
    assert all(text.startswith("The house") for text in (first, second))
    left, right = page.evaluate(
        "[...document.querySelectorAll('article')].map((leaf) => leaf.getBoundingClientRect().x)"
    )
    assert left < right


def test_a_text_is_coloured_by_surprise(page: Tab) -> None:
    choose(page, "first", "bytes.s1")
    page.click("#read-tab")
    page.click("#text")
    page.write("The dog <b>was</b>\n\nnot zxqj.")
    page.click("#read .main")
    page.wait_for("document.querySelectorAll('#read-panel .word').length > 5")
    assert texts(page, "#read-panel .prose") == ["The dog <b>was</b>\n\nnot zxqj."]
    told = page.evaluate("[...document.querySelectorAll('#read-panel .word')].map((w) => [w.told.bits, w.className])")
    for bits, classes in told:
        level = sum(bits >= least for least in (2, 5, 8, 12, 16))
        assert classes == f"word s{level}"
    page.point_at("#read-panel .word")
    page.wait_for("!document.getElementById('card').hidden")
    assert f"{told[0][0]:.1f} bits" in texts(page, "#card .chance")[0]
    assert len(texts(page, "#read-panel .key")) == 6
    darkest = "getComputedStyle(document.querySelector('#read-panel .key.s5')).backgroundColor"
    assert page.evaluate(darkest) == "rgba(0, 114, 178, 0.72)"


def test_two_models_read_and_the_better_one_is_told(page: Tab) -> None:
    choose(page, "second", "bytes.s1")
    page.click("#read-tab")
    page.click("#text")
    page.write("The dog was not at home.")
    page.click("#read .main")
    page.wait_for("document.getElementById('verdict').textContent")
    bits = [float(text.split()[0]) for text in texts(page, "#read-panel .status")]
    better, other = ("words.s1", "bytes.s1") if bits[0] < bits[1] else ("bytes.s1", "words.s1")
    assert f"{better} foresees this text better than {other}" in texts(page, "#verdict")[0]


def test_on_a_telephone_nothing_is_cut_off(tab: Tab, address: str) -> None:
    tab.open(address, width=390, height=844)
    tab.wait_for("!document.getElementById('desk').hidden")
    choose(tab, "second", "bytes.s1")
    write(tab, "The dog of the house", words=60)
    tab.click("#colour")
    tab.evaluate("document.querySelectorAll('.word')[30].focus()")
    card = tab.evaluate("document.getElementById('card').getBoundingClientRect().toJSON()")
    word = tab.evaluate("document.querySelector('.word.shown').getBoundingClientRect().toJSON()")
    assert (card["left"], card["right"], card["bottom"]) == (0, 390, 844)
    assert word["bottom"] < card["top"]
    assert tab.evaluate("document.documentElement.scrollWidth") == 390
    tab.click("#settings summary")
    tab.click("#read-tab")
    assert tab.evaluate("document.documentElement.scrollWidth") == 390


def test_before_the_first_run_the_page_says_what_to_do(tab: Tab, address: str, project: Path) -> None:
    (project / "results").rename(project / "away")
    try:
        tab.open(address)
        tab.wait_for("!document.getElementById('empty').hidden")
    finally:
        (project / "away").rename(project / "results")
    assert "make run" in texts(tab, "#empty")[0]
    assert tab.evaluate("document.getElementById('desk').hidden")
    assert tab.errors == []


def test_what_goes_wrong_is_told_on_the_page(page: Tab) -> None:
    page.evaluate("document.getElementById('temperature').type = 'text'")
    page.evaluate("document.getElementById('temperature').value = '11'")
    page.click("#write .main")
    page.wait_for("document.querySelector('.leaf .problem')")
    assert "temperature: found 11" in texts(page, ".leaf .problem")[0]
    page.call("Network.emulateNetworkConditions", offline=True, latency=0, downloadThroughput=-1, uploadThroughput=-1)
    page.click("#write .main")
    page.wait_for("document.querySelector('.leaf .problem')?.textContent.includes('still running')")
