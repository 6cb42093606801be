import codecs
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextchapter.corpus.decoding import decode
from nextchapter.corpus.document import UnreadableBookError


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1))
@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
    ],
)
def test_a_byte_order_mark_decides(mark: bytes, encoding: str, text: str) -> None:
    decoded = decode(mark + text.encode(encoding))
    assert (decoded.text, decoded.encoding) == (text, encoding)


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufeff")))
def test_utf8_needs_no_mark(text: str) -> None:
    data = text.encode()
    if not data.startswith((b"%PDF-", b"PK\x03\x04", b"{\\rtf")):
        assert decode(data).text == text


def test_french_of_1995_is_windows_1252_and_says_so() -> None:
    decoded = decode("L’été où je fus né…".encode("cp1252"))
    assert decoded.text == "L’été où je fus né…"
    assert decoded.encoding == "cp1252"
    assert "not UTF-8" in decoded.note


def test_bytes_that_no_encoding_explains_are_counted_as_broken() -> None:
    decoded = decode(b"caf\xe9 \x81")
    assert (decoded.text, decoded.encoding) == ("café \ufffd", "cp1252")
    assert "1 broken" in decoded.note


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_sixteen_bits_a_letter_need_no_mark(encoding: str) -> None:
    decoded = decode("Emma’s book, Chapter I\r\n".encode(encoding))
    assert (decoded.text, decoded.encoding) == ("Emma’s book, Chapter I\r\n", encoding)


def test_the_encoding_that_a_header_declares_is_believed() -> None:
    text = "Title: Пример\n\nCharacter set encoding: windows-1251\n\nГлава первая\n"
    decoded = decode(text.encode("windows-1251"))
    assert (decoded.text, decoded.encoding) == (text, "cp1251")


@pytest.mark.parametrize("declared", ["hex", "no-such-code", "UTF-8", "ASCII"])
def test_a_declared_encoding_that_cannot_be_is_not(declared: str) -> None:
    assert decode(f"Character set encoding: {declared}\n\ncafé".encode("latin-1")).encoding == "cp1252"


def test_a_broken_byte_does_not_turn_russian_into_latin() -> None:
    decoded = decode("Отцы и дети. ".encode() * 20 + b"\xff" + "конец".encode())
    assert decoded.encoding == "utf-8"
    assert decoded.text.endswith("\ufffdконец")
    assert "1 broken" in decoded.note


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"%PDF-1.7 ...", "PDF"),
        (b"PK\x03\x04" + bytes(30), "zip"),
        (b"{\\rtf1\\ansi Hello}", "RTF"),
        (b"\x1f\x8b\x08", "gzip"),
        (random.Random(0).randbytes(5000), "binary"),
    ],
)
def test_what_is_no_text_is_refused_by_name(data: bytes, kind: str) -> None:
    with pytest.raises(UnreadableBookError, match=kind):
        decode(data)


def test_a_few_control_characters_make_no_binary() -> None:
    assert decode(b"The End\x1a\x1a" + b"\x00").text == "The End\x1a\x1a\x00"
