from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from nextchapter.report.quality import BOOKS_MAX, BOOKS_OPEN, SAMPLES_MAX, draw_lengths, render_quality


def book_record(book: str, **changes: Any) -> dict[str, Any]:
    record = {
        "book": book, "file": f"{book}.txt", "title": f"The <i>{book}</i>", "author": "A. & B.", "language": "en",
        "language_confidence": 1.0, "format": "plain text", "encoding": "utf-8", "encoding_note": "", "bytes": 9000,
        "characters": 8000, "words": 1500, "chapters": 2, "headings": "numbered", "lengths": [3000, 5000],
        "matter": [], "nearly_empty": [], "removed": [], "repaired": [], "problem": "",
    }  # fmt: skip
    return record | changes


def quality_record(books: list[dict[str, Any]], **changes: Any) -> dict[str, Any]:
    part = {"chapters": 10, "characters": 1000, "words": 200}
    record = {
        "shelf": "folder <x>", "books": books, "duplicates": [],
        "totals": {"books": len(books), "chapters": 12, "characters": 10_000, "words": 123_456,
                   "splits": {"train": {**part, "characters": 8000}, "valid": part, "test": part}},
        "leak": {"ngram": 8, "share": 0.0123, "sampled": False, "worst": [{"book": "oz", "chapter": 3, "share": 0.31}]},
        "refused": [], "left_out_languages": [],
    }  # fmt: skip
    return record | {"refused_count": len(changes.get("refused", []))} | changes


@pytest.fixture
def text_of(read_page: Callable[[str], Any]) -> Callable[[dict[str, Any]], str]:
    """Return a function that gives a page's text; it nests, and holds nothing that is fetched or run."""

    def read(quality: dict[str, Any]) -> str:
        html = render_quality(quality)
        page = read_page(html)
        assert page.nests
        assert not {"script", "link", "img", "iframe", "image"} & set(page.tags)
        assert not any(mark in html for mark in ("http://", "https://", "url(h", "<x>", "<i>", "<b>bold"))
        return " ".join(page.text.split())

    return read


def test_what_was_read_is_told_in_words_and_tables(text_of: Callable[[dict[str, Any]], str]) -> None:
    text = text_of(quality_record([book_record("oz", language_confidence=0.7), book_record("emma")]))
    assert "2 books with 12 chapters and 123,456 words, from the shelf folder <x>." in text
    assert "The <i>oz</i>A. & B.Englishnot certainoz.txtplain text, utf-821,500nothing" in text.replace(" not", "not")
    assert "learned from" in text
    assert "80 %" in text
    assert "Of all runs of 8 words in the test chapters, 1.23 % also stand" in text
    assert "oz, chapter 331 %" in text.replace("3 31", "331")
    for nothing in ("No chapter and no book came twice", "Nothing was cut", "Nothing had to be", "All files were read"):
        assert nothing in text


def test_duplicates_name_what_they_repeat(text_of: Callable[[dict[str, Any]], str]) -> None:
    place = {"book": "oz", "chapter": 4, "heading": "IV <b>bold"}
    whole = {"book": "emma", "chapter": None, "heading": ""}
    duplicates = [
        {**place, "same_as": {**place, "book": "old"}, "similarity": 0.934, "characters": 1200, "kind": "similar"},
        {**whole, "same_as": {**whole, "book": "works"}, "similarity": 0.99, "characters": 90_000, "kind": "contained"},
    ]
    text = text_of(quality_record([book_record("oz")], duplicates=duplicates))
    assert "1 whole book and 1 chapter, 91,200 characters, left out" in text
    assert "ozchapter 4: IV <b>bold" in text
    assert "emmathe whole book" in text
    assert "99 %of it is in there" in text


def test_what_was_cut_is_counted_by_reason_over_all_books(text_of: Callable[[dict[str, Any]], str]) -> None:
    def removed(reason: str, count: int, sample: str) -> dict[str, Any]:
        return {"reason": reason, "count": count, "characters": 10 * count, "sample": sample}

    books = [book_record(f"b{place}", removed=[removed("page number", 30, f"[{place}] <x>")]) for place in range(20)]
    books[3]["removed"].append(removed("contents", 1, "CONTENTS"))
    books[4]["repaired"] = [{"reason": "mojibake", "count": 7, "sample": "â€™"}]
    text = text_of(quality_record(books))
    assert "page number 600 ×, 6,000 characters, in 20 books" in text
    assert "contents 1 ×, 10 characters, in 1 book" in text
    assert text.index("page number 600") < text.index("contents 1 ×")
    assert "mojibake 7 ×, in 1 book" in text
    assert text.count("] <x>") == SAMPLES_MAX


def test_what_was_not_read_and_what_is_kept_apart_is_named(text_of: Callable[[dict[str, Any]], str]) -> None:
    books = [book_record("oz", matter=[{"kind": "preface", "heading": "To the <x> reader", "words": 321}])]
    books += [book_record("empty", problem="the file is empty", chapters=0, lengths=[])]
    refused = [{"file": "a/b.pdf", "reason": "the PDF is encrypted <x>"}]
    left_out = [{"book": "madame-bovary", "language": "fr"}]
    text = text_of(quality_record(books, refused=refused, left_out_languages=left_out))
    assert "The <i>oz</i>prefaceTo the <x> reader321" in text
    assert "a/b.pdfthe PDF is encrypted <x>" in text
    assert "madame-bovaryits language, French, is none of those to keep" in text
    assert "empty.txtthe file is empty" in text


def test_a_text_whose_language_is_not_told_is_rendered(text_of: Callable[[dict[str, Any]], str]) -> None:
    book = book_record("oz")
    for key in ("language", "language_confidence"):
        del book[key]
    assert "A. & B.–oz.txt" in text_of(quality_record([book]))


def test_what_was_not_read_and_is_not_named_is_counted(text_of: Callable[[dict[str, Any]], str]) -> None:
    refused = [{"file": "a.zip/1.doc", "reason": "not a book format: .doc"}]
    assert "And 6 others, for like reasons." in text_of(quality_record([], refused=refused, refused_count=7))


def test_of_very_many_books_the_first_are_shown_and_the_others_counted(
    text_of: Callable[[dict[str, Any]], str],
) -> None:
    quality = quality_record([book_record(f"book-{place:04d}") for place in range(BOOKS_MAX + 7)])
    text = text_of(quality)
    assert f"{BOOKS_MAX + 7 - BOOKS_OPEN:,} more books" in text
    assert f"book-{BOOKS_MAX - 1}" in text
    assert f"book-{BOOKS_MAX}" not in text
    assert "And 7 more books, which stand in quality.json." in text
    assert len(render_quality(quality)) < 2_000_000


def test_a_language_is_named_or_its_code_given(text_of: Callable[[dict[str, Any]], str]) -> None:
    books = [book_record("a", language="und", language_confidence=0.0), book_record("b", language="xh")]
    text = text_of(quality_record(books))
    assert "not knowna.txt" in text
    assert "xhb.txt" in text


def test_equal_records_give_equal_pages() -> None:
    quality = quality_record([book_record("oz")])
    assert render_quality(quality) == render_quality(quality)


@pytest.mark.parametrize("lengths", [[1], [12_000] * 40, [1, 10_000_000], list(range(1, 3000))])
def test_every_chapter_is_in_the_histogram_and_its_texts_inside(
    lengths: list[int], in_style: None, texts_outside: Callable[[Figure], list[str]]
) -> None:
    figure = draw_lengths(lengths)
    heights = [bar.get_height() for bar in figure.axes[0].patches]  # type: ignore[attr-defined]
    assert sum(heights) == len(lengths)
    assert figure.axes[0].lines[0].get_xdata()[0] == np.median(lengths)  # type: ignore[index]
    assert texts_outside(figure) == []
