"""HTML: libxml2's parser calls a reader of elements, so that neither size nor depth of a page costs memory."""

import codecs
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import groupby

from lxml import etree

from nextchapter.corpus.decoding import Decoded, decode
from nextchapter.corpus.document import Document, UnreadableBookError
from nextchapter.corpus.formats.blocks import Block, join_blocks, refuse_too_many, without_marks
from nextchapter.corpus.formats.titles import split_title
from nextchapter.corpus.removals import Removals, ink

_DECLARED = re.compile(
    rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([\w.:-]+)|<\?xml[^>]{0,80}encoding=["']([\w.:-]+)""", re.IGNORECASE
)
_MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_LARGER_SETS = {"iso8859-1": "cp1252", "ascii": "cp1252", "iso8859-9": "cp1254", "gb2312": "gb18030", "gbk": "gb18030",
                "shift_jis": "cp932", "euc_kr": "cp949"}  # fmt: skip
_HEAD_BYTES = 8192
_CHUNK = 1 << 18

_BREAK = "\0"
_BLANK = f"{_BREAK} \t\n\r\f\v"
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_BLOCKS = frozenset(
    "address article aside blockquote body caption center dd details dialog dir div dl dt fieldset figcaption figure "
    "footer form header hgroup hr legend li main menu ol optgroup option p pre section summary table tbody tfoot "
    "thead tr ul".split()
) | set(_HEADINGS)
_UNSEEN = frozenset("script style template svg math iframe object noscript select button".split())
_DROPPED = {"nav": "navigation", "rt": "reading beside a character", "rp": "reading beside a character"}
_BOILERPLATE = {"pg-header", "pg-footer", "pg-boilerplate", "pgheader", "pgfooter"}
_NOTE_CLASSES = {
    "footnote",
    "footnotes",
    "endnotes",
    "doc-endnotes",
    "doc-footnote",
    "doc-endnote",
    "endnote",
    "rearnote",
}
_PAGE_CLASSES = {"pagenum", "pageno", "pagenumber", "page-number", "pagebreak", "doc-pagebreak", "page_number"}
_MARK_CLASSES = {"fnanchor", "noteref", "doc-noteref", "footnote-ref", "footnoteref", "fnref"}
_VERSE_CLASSES = {"verse", "line", "l", "v"}
_STANZA_CLASSES = {"stanza", "linegroup", "poem", "poetry", "lg"}
_PAGE = re.compile(r"\W*(?:Pg|Page|p|pp|S|Seite|стр)?\W*(?:\d{1,4}|[ivxlc]{1,7})\W*", re.IGNORECASE)
_PAGE_ANCHOR = re.compile(r"(?:page|pg|p|seite|s)[-_.]?\d{1,4}[a-z]?", re.IGNORECASE)
_RAISED_MARK = re.compile(r"\s*[\[(]?\s*(?:\d{1,4}|[*†‡§¶]{1,4})\s*[\])]?\s*")
_LINKED_MARK = re.compile(r"\s*(?:[\[(]\s*\w{1,5}\s*[\])]|[\[(]?[*†‡§¶]{1,4}[\])]?)\s*")
_EXPONENT_BASE = re.compile(r"(?:\d|\b[^\W\d_]|\b[kcdm]m)\Z")
_LONGEST_MARK = 24
_SPACES = re.compile(r"[ \t\n\r\f]{2,}|[\t\n\r\f]")
_WIDE = r"[\u3000-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uffef]"
_WRAPPED_WIDE = re.compile(rf"(?<={_WIDE})[ \t]*[\r\n]\s*(?={_WIDE})")


def read_html(data: bytes, removals: Removals) -> Document:
    """Return a book that is a web page.

    Raises:
        UnreadableBookError: the bytes are no text.
    """
    decoded = decode_html(data)
    document = read_page_text(decoded.text, removals)
    return replace(document, encoding=decoded.encoding, encoding_note=decoded.note)


def read_page_text(text: str, removals: Removals) -> Document:
    """Return a book that is a web page, decoded already."""
    page = parse_html(text, removals)
    title, author = split_title(page.title)
    return Document(
        join_blocks(page.blocks),
        is_wrapped=page.is_preformatted,
        title=title,
        author=page.author or author,
        language=page.language,
        format="HTML",
    )


def decode_html(data: bytes) -> Decoded:
    """Return the text of a page: by its byte order mark, as UTF-8, as it declares, or as plain text is decoded.

    What is good UTF-8 is UTF-8 whatever it declares: many pages were converted and kept their old declaration.

    Raises:
        UnreadableBookError: the bytes are no text.
    """
    declared = _declared_encoding(data)
    if declared is None or data.startswith(_MARKS):
        return decode(data)
    try:
        return Decoded(data.decode("utf-8"), "utf-8", "")
    except UnicodeDecodeError:
        text = data.decode(declared, "replace")
    broken = text.count("\ufffd")
    return Decoded(text, declared, f"as it declares; {broken} broken characters" if broken else "")


def _declared_encoding(data: bytes) -> str | None:
    declared = _DECLARED.search(data[:_HEAD_BYTES])
    if declared is None:
        return None
    try:
        name = codecs.lookup((declared[1] or declared[2]).decode("ascii")).name
        b"text".decode(name)
    except (LookupError, UnicodeError):
        return None
    return None if name.startswith("utf") else _LARGER_SETS.get(name, name)


@dataclass(frozen=True)
class Page:
    """What a page holds."""

    blocks: list[Block]
    title: str
    author: str
    language: str
    is_preformatted: bool
    """Whether most of its text is typed line by line, in `<pre>`."""


def parse_html(text: str, removals: Removals) -> Page:
    """Return what a page holds; footnotes, page numbers and the frame of Project Gutenberg are noted as removed.

    Raises:
        UnreadableBookError: the parser refuses the page, or it has more paragraphs than a book.
    """
    reader = _ElementReader(removals)
    # The feed interface of a parser with a target builds no tree: 2,000,000 nested elements take 70 MB.
    parser = etree.HTMLParser(target=reader, encoding="utf-8", huge_tree=True)
    if not text.strip(_BREAK + " \t\r\n\f\ufeff"):
        return reader.close()
    try:
        for start in range(0, len(text), _CHUNK):
            parser.feed(text[start : start + _CHUNK].replace(_BREAK, "").encode("utf-8", "replace"))
        return parser.close()  # type: ignore[no-any-return]
    except etree.LxmlError as error:
        raise UnreadableBookError(f"its HTML can't be parsed ({error})") from error


class _ElementReader:
    """Turns the elements of a page, as they begin and end, into blocks: a target of lxml's parser."""

    def __init__(self, removals: Removals) -> None:
        self._removals = removals
        self._blocks: list[Block] = []
        self._pieces: list[str] = []
        self._anchors: list[str] = []
        self._depth = 0
        self._level = 0
        self._preformatted = 0
        self._stanza = 0
        self._verse = 0
        self._open_marks: list[tuple[int, int, str, re.Pattern[str] | None]] = []
        self._numbers_in_heading: list[str] = []
        self._hidden_from = 0
        self._hidden_reason = ""
        self._hidden: list[str] = []
        self._typed = 0
        self._title: list[str] | None = None
        self._in_title = False
        self._author = ""
        self._language = ""

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """Take the start of an element."""
        self._depth += 1
        if self._hidden_from:
            return
        classes = _classes_of(attributes)
        self._note_anchors(attributes)
        if tag in _BLOCKS:
            self._end_block()
        reason = _reason_to_hide(tag, classes)
        if reason is not None:
            self._hidden_from, self._hidden_reason = self._depth, reason
            return
        match tag:
            case "br":
                self._pieces.append(_BREAK)
            case "td" | "th":
                self._pieces.append(" ")
            case "pre":
                self._preformatted += 1
            case "title":
                self._in_title = self._title is None
                self._title = self._title or []
            case "img":
                self._removals.add("picture", attributes.get("alt") or "")
            case "meta":
                self._read_meta(attributes)
            case "html":
                self._language = attributes.get("lang") or attributes.get("xml:lang") or ""
        self._level = _HEADINGS.get(tag, self._level)
        self._open_verse(classes)
        self._open_mark(tag, classes, attributes)

    def end(self, tag: str) -> None:
        """Take the end of an element."""
        self._depth -= 1
        if self._hidden_from:
            if self._depth < self._hidden_from:
                self._end_hidden()
            return
        if self._open_marks and self._open_marks[-1][0] > self._depth:
            self._end_mark()
        if tag in _BLOCKS:
            self._end_block()
        if tag in _HEADINGS:
            self._level = 0
        elif tag == "pre":
            self._preformatted -= 1
        elif tag == "title":
            self._in_title = False

    def data(self, text: str) -> None:
        """Take a piece of text."""
        if self._hidden_from:
            if self._hidden_reason:
                self._hidden.append(text)
        elif self._in_title and self._title is not None:
            self._title.append(text)
        else:
            self._pieces.append(text)

    def close(self) -> Page:
        """Return what was read."""
        self._end_block()
        if self._hidden_from:
            self._end_hidden()
        total = sum(len(line) for block in self._blocks for line in block.lines)
        title = _SPACES.sub(" ", without_marks("".join(self._title or []))).strip()
        is_preformatted = 2 * self._typed > total
        return Page(self._blocks, title, self._author.strip(), self._language.strip(), is_preformatted)

    def _note_anchors(self, attributes: Mapping[str, str]) -> None:
        for key in ("id", "name"):
            if attributes.get(key):
                self._anchors.append(attributes[key])

    def _read_meta(self, attributes: Mapping[str, str]) -> None:
        if attributes.get("name", "").lower() in {"author", "dc.creator", "dcterms.creator"} and not self._author:
            self._author = _SPACES.sub(" ", attributes.get("content", ""))

    def _open_verse(self, classes: set[str]) -> None:
        if classes & _STANZA_CLASSES:
            self._stanza += 1
        self._verse = max(self._stanza, 1) if classes & _VERSE_CLASSES else self._verse

    def _open_mark(self, tag: str, classes: set[str], attributes: Mapping[str, str]) -> None:
        """Remember where an element began that may be no more than a page number or a footnote mark."""
        anchor = attributes.get("id") or attributes.get("name") or ""
        mark: tuple[str, re.Pattern[str] | None] | None = None
        if classes & _PAGE_CLASSES:
            mark = ("page number", None)
        elif classes & _MARK_CLASSES:
            mark = ("footnote mark", None)
        elif tag == "sup":
            mark = ("footnote mark", _RAISED_MARK)
        elif tag in {"a", "span"} and _PAGE_ANCHOR.fullmatch(anchor):
            mark = ("page number", _PAGE)
        elif tag == "a" and "#" in attributes.get("href", ""):
            mark = ("footnote mark", _LINKED_MARK)
        if mark is not None:
            self._open_marks.append((self._depth, len(self._pieces), *mark))

    def _end_mark(self) -> None:
        """Take out what an element holds, if it is no more than a page number or a footnote mark."""
        _, start, reason, pattern = self._open_marks.pop()
        pieces = self._pieces[start : start + _LONGEST_MARK + 1]
        if len(pieces) > _LONGEST_MARK or sum(map(len, pieces)) > _LONGEST_MARK:
            return
        text = "".join(pieces)
        before = self._pieces[start - 1][-4:] if start else ""
        is_exponent = pattern is _RAISED_MARK and _EXPONENT_BASE.search(before)
        if (pattern is not None and not pattern.fullmatch(text)) or is_exponent:
            return
        del self._pieces[start:]
        if self._level and pattern is _PAGE and text.strip(" \n.").isalnum():
            self._numbers_in_heading.append(text)
        else:
            self._removals.add(reason, text, int(bool(text.strip())))

    def _end_hidden(self) -> None:
        text = "".join(self._hidden)
        if self._hidden_reason:
            self._removals.add(self._hidden_reason, text, int(ink(text) > 0))
        self._hidden_from, self._hidden_reason, self._hidden = 0, "", []

    def _end_block(self) -> None:
        """Make a block, or several where empty lines divide it, of the text since the last one."""
        pieces, self._pieces = self._pieces, []
        verse, self._verse = self._verse, 0
        self._open_marks.clear()
        text = self._with_number("".join(pieces))
        if not text.strip(_BLANK):
            return
        refuse_too_many(self._blocks)
        anchors, self._anchors = tuple(self._anchors), []
        if self._preformatted and not self._level:
            lines = [line.rstrip() for line in text.replace("\r\n", "\n").replace(_BREAK, "\n").split("\n")]
            self._typed += sum(map(len, lines))
            self._blocks.append(Block(_trim(lines), anchors=anchors))
            return
        lines = [_SPACES.sub(" ", _WRAPPED_WIDE.sub("", line)).strip(" \xa0") for line in text.split(_BREAK)]
        if self._level:
            self._blocks.append(Block(lines, self._level, anchors=anchors))
            return
        for has_text, paragraph in groupby(lines, bool):
            if has_text:
                self._blocks.append(Block(list(paragraph), verse=verse, anchors=anchors))
                anchors = ()

    def _with_number(self, text: str) -> str:
        """Return the text of a block without signs of headings; a heading that is a number alone is no page's."""
        numbers, self._numbers_in_heading = self._numbers_in_heading, []
        text = without_marks(text)
        if numbers and not text.strip(_BLANK):
            return "".join(numbers)
        for number in numbers:
            self._removals.add("page number", number)
        return text


def _classes_of(attributes: Mapping[str, str]) -> set[str]:
    """Return all by which an element says what it is: its classes, its role, its `epub:type`, its id."""
    if not attributes:
        return set()
    named = (attributes.get(key, "") for key in ("class", "role", "epub:type", "id"))
    return set(" ".join(named).lower().split())


def _reason_to_hide(tag: str, classes: set[str]) -> str | None:
    """Return why an element is left out, empty where it shows no text anyway, or None for one that is read."""
    if tag in _UNSEEN:
        return ""
    if tag in _DROPPED:
        return _DROPPED[tag]
    if any(name in _BOILERPLATE or name.endswith(("_pg-header", "_pg-footer")) for name in classes):
        return "Project Gutenberg boilerplate"
    return "footnote" if classes & _NOTE_CLASSES and tag not in {"a", "sup", "body", "html"} else None


def _trim(lines: list[str]) -> list[str]:
    inked = [index for index, line in enumerate(lines) if line.strip()]
    return lines[inked[0] : inked[-1] + 1] if inked else []
