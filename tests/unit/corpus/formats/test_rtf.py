import pytest

from nextchapter.corpus.document import UnreadableBookError
from nextchapter.corpus.formats.rtf import read_rtf
from nextchapter.corpus.removals import Removals


def text_of(body: str, head: str = r"\ansi\ansicpg1252") -> str:
    return read_rtf(f"{{\\rtf1{head} {body}}}".encode("latin-1"), Removals()).text


@pytest.mark.parametrize(
    ("body", "head", "text"),
    [
        (r"\u8220?Hello\u8221? she said.\par Next.", r"\ansi", "“Hello” she said.\n\nNext."),
        (r"\'cf\'f0\'e8\'e2\'e5\'f2", r"\ansi\ansicpg1251", "Привет"),
        (r"\'e9 {\f1\'cf\'f0\'e8} \'e9", r"\ansi{\fonttbl{\f0\fcharset0 A;}{\f1\fcharset204 B;}}", "é При é"),
        (r"\'82\'a0\'82\'a2", r"\ansi\ansicpg932", "あい"),
        (r"caf\'8e", r"\mac", "café"),
        (r"\uc0\u1055 \u1088 ok", r"\ansi", "Прok"),
        (r"\u-10179?\u-8704?", r"\ansi", "😀"),
        (r"One\line two\par\par Three\emdash", r"\ansi", "One\ntwo\n\nThree—"),
        (r"{\field{\*\fldinst{HYPERLINK \"x\"}}{\fldrslt here}}", r"\ansi", "here"),
        (r"\pard\outlinelevel0 One\par\pard Two\par", r"\ansi", "\x021One\n\nTwo"),
        (r"\pard\s2\outlinelevel1\b Three\b0\par", r"\ansi", "\x022Three"),
        (r"{\header Head}{\pict 0102}{\*\unknown x}Text", r"\ansi", "Text"),
    ],
)  # fmt: skip
def test_what_rtf_says(body: str, head: str, text: str) -> None:
    assert text_of(body, head) == text


def test_title_and_author_are_in_the_code_page_too() -> None:
    info = rb"{\rtf1\ansi\ansicpg1251{\info{\title \'cc\'e8\'f0}{\author A. B.}}text}"
    document = read_rtf(info, Removals())
    assert (document.title, document.author) == ("Мир", "A. B.")


def test_footnotes_are_dropped_and_noted() -> None:
    removals = Removals()
    read_rtf(rb"{\rtf1 Text{\super\chftn}{\footnote\pard\plain \chftn The note.} on}", removals)
    assert [(record["reason"], record["sample"]) for record in removals.records()] == [("footnote", "The note.")]


@pytest.mark.parametrize(
    "body",
    [
        "{" * 200_000 + "x" + "}" * 200_000,
        "{" * 200_000,
        r"{\fonttbl" + r"\f1\fcharset0" * 20_000 + "}x",
        r"{\fonttbl" + r"\f1" * 50_000,
        r"{\field{\*\fldinst{HYPERLINK " * 20_000,
        r"{\title " * 20_000,
        r"\footnote" * 20_000,
        r"\'e9" * 100_000,
    ],
)
def test_hostile_rtf_is_read_to_its_end(body: str) -> None:
    assert "\0" not in text_of(f"{body}\0")


@pytest.mark.parametrize("body", [r"\uc", r"\u9999999999", r"\pict\bin" + "9" * 5000])
def test_damaged_rtf_is_refused(body: str) -> None:
    with pytest.raises(UnreadableBookError, match="damaged"):
        text_of(body)
