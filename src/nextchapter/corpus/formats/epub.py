"""EPUB 2 and 3: the reader of web pages reads its pages in their order; its navigation says where headings stand.

Not pandoc: it forgets the `id` of a paragraph, to which the navigation of many books points.
"""

import posixpath
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import unquote, urldefrag

from lxml import etree

from nextchapter.corpus.document import Document, Limits, UnreadableBookError
from nextchapter.corpus.formats.blocks import Block, join_blocks, refuse_too_many, without_marks, words_of
from nextchapter.corpus.formats.html import decode_html, parse_html
from nextchapter.corpus.formats.packages import read_texts
from nextchapter.corpus.formats.xml_trees import find_all, first_text, parse_xml
from nextchapter.corpus.removals import Removals

_FONT_ALGORITHMS = {"http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC"}
_EPUB_TYPE = "{http://www.idpf.org/2007/ops}type"
_NCX = "application/x-dtbncx+xml"
_NEAR_BLOCKS = 3
_LONGEST_LABEL = 300


@dataclass(frozen=True)
class NavigationPoint:
    """A line of the table of contents that a reading device shows."""

    label: str
    depth: int
    """1 for the outermost."""
    anchors: tuple[str, ...]
    """Where it points to, the best first: `folder/page.xhtml#name`, and `folder/page.xhtml` for the page's start."""


@dataclass(frozen=True)
class Package:
    """The parts of an EPUB, as its package document lists them."""

    spine: list[str]
    """Paths of its pages, in the order in which they are read."""
    navigation: list[NavigationPoint]
    title: str
    author: str
    language: str


def read_epub(data: bytes, limits: Limits, removals: Removals) -> Document:
    """Return a book that is an EPUB.

    Raises:
        UnreadableBookError: it is damaged, locked, or larger than a book may be.
    """
    texts = read_texts(data, limits)
    refuse_locked(texts)
    package = read_package(texts)
    blocks: list[Block] = []
    waiting: tuple[str, ...] = ()
    is_wrapped = True
    for path in package.spine:
        waiting += (path,)
        page = parse_html(decode_html(texts[path]).text, removals)
        for block in page.blocks:
            anchors = waiting + tuple(f"{path}#{anchor}" for anchor in block.anchors)
            blocks.append(replace(block, anchors=anchors))
            waiting = ()
        refuse_too_many(blocks)
        is_wrapped &= page.is_preformatted or not page.blocks
    return Document(
        join_blocks(place_headings(blocks, package.navigation)),
        is_wrapped,
        title=package.title,
        author=package.author,
        language=package.language,
        format="EPUB",
    )


def refuse_locked(texts: Mapping[str, bytes]) -> None:
    """Refuse a book whose texts are encrypted; fonts may be, for that is their licence.

    Raises:
        UnreadableBookError: it is protected by DRM.
    """
    if "META-INF/encryption.xml" not in texts:
        return
    root = parse_xml(texts["META-INF/encryption.xml"])
    methods = [element.get("Algorithm") for element in find_all(root, "EncryptionMethod")]
    if root is None or set(methods) - _FONT_ALGORITHMS:
        raise UnreadableBookError(
            "it is locked by DRM (its text is encrypted); only the shop's own program can read it"
        )


def read_package(texts: Mapping[str, bytes]) -> Package:
    """Return what the package document of an EPUB lists.

    Raises:
        UnreadableBookError: it lists no page, or none that is there.
    """
    container = parse_xml(texts.get("META-INF/container.xml", b""))
    path = next((element.get("full-path", "") for element in find_all(container, "rootfile")), "")
    root = parse_xml(texts.get(path, b""))
    items = list(find_all(root, "item"))
    paths = {item.get("id"): _resolve(path, item.get("href", "")) for item in items}
    spine = [paths.get(item.get("idref"), "") for item in find_all(root, "itemref")]
    spine = [page for page in dict.fromkeys(spine) if page in texts]
    if not spine:
        raise UnreadableBookError("its package document lists no page that is in it")
    title, author, language = (first_text(root, name) for name in ("title", "creator", "language"))
    return Package(spine, _read_navigation(texts, path, items), title, author, language)


def _read_navigation(texts: Mapping[str, bytes], path: str, items: Sequence[etree._Element]) -> list[NavigationPoint]:
    """Return the table of contents of an EPUB: its EPUB 3 navigation, else its EPUB 2 one, else nothing."""
    ncx: list[NavigationPoint] = []
    for item in items:
        source = _resolve(path, item.get("href", ""))
        if "nav" in item.get("properties", "").split():
            points = list(_nav_points(parse_xml(texts.get(source, b"")), source))
            if points:
                return points
        elif item.get("media-type") == _NCX:
            ncx = list(_ncx_points(parse_xml(texts.get(source, b"")), source))
    return ncx


def place_headings(blocks: Sequence[Block], points: Sequence[NavigationPoint]) -> list[Block]:
    """Return blocks with a heading at each place that the navigation names, where none stands there already.

    A paragraph there that only says what the navigation says becomes the heading.
    """
    places = {anchor: index for index in reversed(range(len(blocks))) for anchor in blocks[index].anchors}
    missing: dict[int, list[NavigationPoint]] = defaultdict(list)
    shifts: Counter[int] = Counter()
    for point in points:
        index = next((places[anchor] for anchor in point.anchors if anchor in places), None)
        if index is None:
            continue
        standing = _standing_heading(blocks, index, point)
        if standing:
            shifts[standing - point.depth] += 1
        else:
            missing[index].append(point)
    shift = shifts.most_common(1)[0][0] if shifts else 0
    said = {index for start, here in missing.items() for index in _says_the_same(blocks, start, here)}
    placed: list[Block] = []
    for index, block in enumerate(blocks):
        placed += [Block([point.label], max(point.depth + shift, 1)) for point in missing.get(index, ())]
        if index not in said:
            placed.append(block)
    return placed


def _standing_heading(blocks: Sequence[Block], index: int, point: NavigationPoint) -> int:
    """Return the level of the heading that stands at a place or, in like words, next to it; 0 where none does."""
    if blocks[index].level:
        return blocks[index].level
    near = blocks[max(index - 1, 0) : index + _NEAR_BLOCKS]
    return next((block.level for block in near if block.level and _alike(block.text, point.label)), 0)


def _says_the_same(blocks: Sequence[Block], start: int, points: Sequence[NavigationPoint]) -> Iterator[int]:
    """Yield the paragraphs from a place on that hold nothing but words of the headings placed there."""
    label = words_of(" ".join(point.label for point in points))
    for index in range(start, min(start + _NEAR_BLOCKS, len(blocks))):
        words = words_of(blocks[index].text)
        if blocks[index].level or not words or not _holds(label, words):
            return
        yield index


def _alike(heading: str, label: str) -> bool:
    one, other = words_of(heading), words_of(label)
    return bool(one and other) and (_holds(one, other) or _holds(other, one))


def _holds(words: Sequence[str], part: Sequence[str]) -> bool:
    """Return whether some words follow each other in others."""
    return any(words[start : start + len(part)] == part for start in range(len(words) - len(part) + 1))


def _nav_points(root: etree._Element | None, path: str) -> Iterator[NavigationPoint]:
    for navigation in find_all(root, "nav"):
        if "toc" in navigation.get(_EPUB_TYPE, "").split():
            for link in find_all(navigation, "a"):
                depth = sum(_name(element) == "ol" for element in link.iterancestors())
                yield from _point("".join(link.itertext()), depth, path, link.get("href", ""))


def _ncx_points(root: etree._Element | None, path: str) -> Iterator[NavigationPoint]:
    for element in find_all(root, "navPoint"):
        depth = 1 + sum(_name(ancestor) == "navPoint" for ancestor in element.iterancestors())
        label = first_text(element, "text")
        source = next((content.get("src", "") for content in find_all(element, "content")), "")
        yield from _point(label, depth, path, source)


def _point(label: str, depth: int, path: str, reference: str) -> Iterator[NavigationPoint]:
    """Yield the point that a link in the navigation at `path` makes; none where it says nothing."""
    words = without_marks(" ".join(label.split()))[:_LONGEST_LABEL]
    file, fragment = urldefrag(reference)
    page = _resolve(path, file)
    if words:
        yield NavigationPoint(words, max(depth, 1), (f"{page}#{fragment}", page) if fragment else (page,))


def _resolve(base: str, reference: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(base), unquote(reference)))


def _name(element: etree._Element) -> str:
    return str(element.tag).rpartition("}")[2]  # etree.QName refuses the namespaces of damaged books
