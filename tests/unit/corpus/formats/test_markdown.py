import pytest

from nextchapter.corpus.document import UnreadableBookError
from nextchapter.corpus.formats.markdown import read_markdown
from nextchapter.corpus.removals import Removals


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        ("# One\n\nTwo *three*\n**four**\n\n### `Five` ###", "\x021One\n\nTwo three four\n\n\x023Five"),
        ("Title\n=====\n\nSub\n---\n\ntext", "\x021Title\n\n\x022Sub\n\ntext"),
        ("Over the hill  \nand home\\\nagain", "Over the hill\nand home\nagain"),
        ("> quoted\n> on\n\n- one\n- two", "quoted on\n\none\n\ntwo"),
        ("A [link](http://x) and ![a cat](cat.png)<b>bold</b>", "A link and bold"),
        ("Before\n\n```\ncode  here\nmore\n```\n\nafter", "Before\n\ncode  here\nmore\n\nafter"),
        ("Word[^1] on.\n\n[^1]: A note\n    goes on.\n\nEnd.", "Word on.\n\nEnd."),
        ("\r\n# One\r\rtwo", "\x021One\n\ntwo"),
        ("<!-- hidden -->\n\nseen &amp; \\*heard\\*", "seen & *heard*"),
    ],
)
def test_markdown_becomes_lines(markdown: str, text: str) -> None:
    assert read_markdown(markdown.encode(), Removals()).text == text


def test_front_matter_names_the_book() -> None:
    document = read_markdown(b"---\ntitle: 'The Road'\nauthor: Jane Roe\nlang: en\n---\n\nText", Removals())
    assert (document.title, document.author, document.language, document.text) == ("The Road", "Jane Roe", "en", "Text")


def test_a_long_book_in_parts_is_the_same_book() -> None:
    chapter = "# Chapter\n\n" + "word *word* word\n" * 1500
    document = read_markdown(f"{chapter}\n".encode() * 10, Removals())
    paragraph = " ".join(["word word word"] * 1500)
    assert document.text == "\n\n".join(["\x021Chapter", paragraph] * 10)


@pytest.mark.parametrize("bomb", ["[" * 500_000, "![[" * 200_000, "**x* " * 200_000])
def test_what_would_take_hours_is_refused(bomb: str) -> None:
    with pytest.raises(UnreadableBookError, match="marks of Markdown"):
        read_markdown(bomb.encode(), Removals())


def test_many_marks_in_many_paragraphs_are_no_bomb() -> None:
    assert read_markdown(b"*a* [b] c\n\n" * 6_000, Removals()).text.count("\n\n") == 5_999


@pytest.mark.parametrize("nested", [">" * 10_000, "- " * 10_000, "`" * 10_000, "    " * 10_000])
def test_deep_nesting_is_read(nested: str) -> None:
    read_markdown(f"{nested}text".encode(), Removals())
