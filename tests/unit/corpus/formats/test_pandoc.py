import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from nextchapter.corpus.document import Document, Limits, UnreadableBookError

BODY = "<body><section><title><p>Глава 1</p></title><p>Привет{}</p></section></body></FictionBook>"
FB2 = '<?xml version="1.0" encoding="{}"?>{}<FictionBook xmlns="http://www.gribuser.ru/xml/fictionbook/2.0">' + BODY


def test_fb2_in_the_encoding_it_declares(read: Callable[..., Document]) -> None:
    document = read(FB2.format("windows-1251", "", "").encode("cp1251"), "b.fb2")
    assert document.text == "\x022Глава 1\n\nПривет"
    assert document.encoding == "cp1251"


def test_entities_neither_grow_nor_read_files(read: Callable[..., Document], tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("SECRET")
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    types = f'<!DOCTYPE x [<!ENTITY e0 "bomb">{entities}<!ENTITY f SYSTEM "{secret.as_uri()}">]>'
    for reference in ("&e11;", "&f;"):
        with pytest.raises(UnreadableBookError, match="pandoc"):
            read(FB2.format("utf-8", types, reference).encode(), "b.fb2")


@pytest.mark.parametrize("kind", ["docx", "odt", "fb2"])
def test_truncated_documents_are_refused(
    read: Callable[..., Document], written: Callable[[str], bytes], kind: str
) -> None:
    data = written(kind)
    with pytest.raises(UnreadableBookError, match=r"damaged|pandoc"):
        read(data[: len(data) // 2], f"b.{kind}")


def test_a_conversion_that_takes_too_long_is_stopped(
    read: Callable[..., Document], written: Callable[[str], bytes]
) -> None:
    with pytest.raises(UnreadableBookError, match=r"more than 0\.001 s"):
        read(written("docx"), "b.docx", Limits(convert_s=0.001))


def test_an_odt_with_a_password_is_refused(read: Callable[..., Document]) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as package:
        package.writestr("content.xml", b"\xff")
        package.writestr("META-INF/manifest.xml", "<manifest><encryption-data/></manifest>")
    with pytest.raises(UnreadableBookError, match="password"):
        read(buffer.getvalue(), "b.odt")
