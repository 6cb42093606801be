"""Markdown: markdown-it renders it, a few hundred kilobytes at a time, and the reader of web pages reads that."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from markdown_it import MarkdownIt

from nextchapter.corpus.decoding import decode
from nextchapter.corpus.document import Document, UnreadableBookError
from nextchapter.corpus.formats.html import read_page_text
from nextchapter.corpus.removals import Removals

_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(?P<fields>.{0,20000}?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_FIELD = re.compile(r"""^(title|author|lang|language):[ \t]*["']?(.*?)["']?[ \t]*$""", re.MULTILINE | re.IGNORECASE)
_NOTE = re.compile(r"^ {0,3}\[\^[^\]\s]{1,40}\]:.*(?:\n(?:[ \t]+.*|(?=\n[ \t]+\S)))*", re.MULTILINE)
_NOTE_MARK = re.compile(r"\[\^[^\]\s]{1,40}\]")
_PART = 200_000
_PART_END = re.compile(r"\n[ \t]*\n(?=#{1,6} )")
_PARAGRAPH_END = re.compile(r"\n[ \t]*\n")
_MOST_EFFORT = 2_000_000_000


def read_markdown(data: bytes, removals: Removals) -> Document:
    """Return a book in Markdown.

    Raises:
        UnreadableBookError: the bytes are no text, or it would take minutes to parse.
    """
    decoded = decode(data)
    text = decoded.text.replace("\r\n", "\n").replace("\r", "\n")
    front = _FRONT_MATTER.match(text)
    fields = {key.lower(): value for key, value in _FIELD.findall(front["fields"])} if front else {}
    text = text[front.end() :] if front else text
    text = _NOTE_MARK.sub(_dropper("footnote mark", removals), _NOTE.sub(_dropper("footnote", removals), text))
    _refuse_endless(text)
    renderer = MarkdownIt("commonmark")
    html = "\n".join(renderer.render(part) for part in _parts(text))
    return replace(
        read_page_text(html, removals),
        title=fields.get("title", ""),
        author=fields.get("author", ""),
        language=fields.get("language", fields.get("lang", "")),
        format="Markdown",
        encoding=decoded.encoding,
        encoding_note=decoded.note,
    )


def _refuse_endless(text: str) -> None:
    """Refuse what only an attack holds: the parser's time grows with the square of the brackets in a paragraph."""
    counts = [sum(map(paragraph.count, "[]*_`!<")) for paragraph in _PARAGRAPH_END.split(text)]
    if sum(count**2 for count in counts) > _MOST_EFFORT:
        raise UnreadableBookError(
            f"a paragraph of it has {max(counts):,} marks of Markdown; if it is text, name it .txt"
        )


def _parts(text: str) -> Iterator[str]:
    """Yield a text in parts that end before a heading, so that its tokens never stand in memory all at once."""
    start = 0
    while start < len(text):
        end = _PART_END.search(text, start + _PART)
        stop = end.end() if end else len(text)
        yield text[start:stop]
        start = stop


def _dropper(reason: str, removals: Removals) -> Callable[[re.Match[str]], str]:
    """Return what takes a match out of a text and notes it."""

    def drop(found: re.Match[str]) -> str:
        removals.add(reason, found[0])
        return ""

    return drop
