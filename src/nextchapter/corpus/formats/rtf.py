"""RTF, by striprtf: pandoc's reader takes every code page for Latin-1 and loses letters behind a Unicode one."""

import re

from striprtf.striprtf import font_table_group, rtf_to_text

from nextchapter.corpus.document import Document, UnreadableBookError
from nextchapter.corpus.formats.blocks import Block, join_blocks, without_marks
from nextchapter.corpus.removals import Removals

_HEADING, _LINE = "\ue000", "\ue001"
"""Characters of private use that pass through striprtf, for what it forgets."""
_OUTLINE_LEVEL = re.compile(r"\\outlinelevel([0-8])(?!\d) ?")
_LINE_END = re.compile(r"\\line(?![a-z]) ?")
_NOTE = re.compile(r"\\footnote(?![a-z])(?:\\[a-z~*-]+-?\d* ?|[{}\s])*([^{}\\]{0,200})")
_PROPERTY = r"\{{\\{name} ?((?:[^{{}}]|\\[{{}}]){{0,500}})\}}"
_TITLE, _AUTHOR = (re.compile(_PROPERTY.format(name=name)) for name in ("title", "author"))
_CODE_PAGE = re.compile(r"\\ansicpg\d{1,5}")
_CHARACTER_SETS = {"\\mac": "mac_roman", "\\pca": "cp850", "\\pc": "cp437"}
_FONT = re.compile(r"(?=\\f\d)")
_HEAD = 1000


def read_rtf(data: bytes, removals: Removals) -> Document:
    """Return a book in RTF.

    Raises:
        UnreadableBookError: it is damaged.
    """
    source = data.decode("latin-1").replace("\0", "")
    page = _CODE_PAGE.search(source[:_HEAD])
    for note in _NOTE.finditer(source):
        removals.add("footnote", note[1])
    title, author = (_read_property(pattern, source, page[0] if page else "") for pattern in (_TITLE, _AUTHOR))
    text = _strip(_OUTLINE_LEVEL.sub(rf"\\outlinelevel\1 {_HEADING}\1", _LINE_END.sub(f"\\\\tab0 {_LINE}", source)))
    return Document(
        join_blocks(block for line in text.split("\n") if (block := _make_block(line)).text),
        is_wrapped=False,
        title=title,
        author=author,
        format="RTF",
        encoding=page[0].removeprefix("\\ansi") if page else "cp1252",
    )


def _strip(source: str) -> str:
    """Return the text of an RTF document."""
    head = source[:_HEAD]
    encoding = next((name for word, name in _CHARACTER_SETS.items() if word in head), "cp1252")
    try:
        text: str = rtf_to_text(_without_long_searches(source), encoding, errors="replace")
    except (ValueError, TypeError, OverflowError, LookupError) as error:
        raise UnreadableBookError(f"its RTF is damaged ({error})") from error
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _without_long_searches(source: str) -> str:
    """Return the same document, written so that no search of striprtf takes time by the square of its length.

    A space keeps it from looking for links; semicolons end the entries of the table of fonts, where they are missing.
    """
    fonts = font_table_group(source)
    bounded = _FONT.sub(";\n", fonts)[:-1] + ";}" if fonts else ""
    return source.replace(fonts, bounded, 1).replace("\\fldinst{", "\\fldinst {")


def _read_property(pattern: re.Pattern[str], source: str, code_page: str) -> str:
    found = pattern.search(source)
    return _strip(f"{{\\rtf1{code_page} {found[1]}}}").strip() if found else ""


def _make_block(paragraph: str) -> Block:
    """Return a paragraph, or the heading it is by its outline level."""
    level = int(paragraph.partition(_HEADING)[2][:1] or 0) + 1 if _HEADING in paragraph else 0
    text = without_marks(re.sub(rf"{_HEADING}\d?", "", paragraph))
    return Block([line.strip() for line in text.split(_LINE)], level)
