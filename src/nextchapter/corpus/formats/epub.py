"""What an EPUB says of itself beside its text: its navigation, and whether it is locked."""

import posixpath
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import unquote, urldefrag

from lxml import etree

from nextchapter.corpus.document import UnreadableBookError
from nextchapter.corpus.formats.blocks import Block, without_marks, words_of
from nextchapter.corpus.formats.xml_trees import find_all, first_text, parse_xml

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
    """Names that pandoc may give to the place: `file.xhtml_fragment`, or `file.xhtml` for its start."""


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


def read_navigation(texts: Mapping[str, bytes]) -> list[NavigationPoint]:
    """Return the table of contents of an EPUB: its EPUB 3 navigation, else its EPUB 2 one, else nothing."""
    container = parse_xml(texts.get("META-INF/container.xml", b""))
    path = next((element.get("full-path", "") for element in find_all(container, "rootfile")), "")
    package = parse_xml(texts.get(path, b""))
    items = list(find_all(package, "item"))
    for item in items:
        if "nav" in item.get("properties", "").split():
            points = list(_nav_points(parse_xml(texts.get(_resolve(path, item.get("href", "")), b""))))
            if points:
                return points
    for item in items:
        if item.get("media-type") == _NCX:
            return list(_ncx_points(parse_xml(texts.get(_resolve(path, item.get("href", "")), b""))))
    return []


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


def _nav_points(root: etree._Element | None) -> Iterator[NavigationPoint]:
    for navigation in find_all(root, "nav"):
        if "toc" in navigation.get(_EPUB_TYPE, "").split():
            for link in find_all(navigation, "a"):
                depth = sum(_name(element) == "ol" for element in link.iterancestors())
                yield from _point("".join(link.itertext()), depth, link.get("href", ""))


def _ncx_points(root: etree._Element | None) -> Iterator[NavigationPoint]:
    for element in find_all(root, "navPoint"):
        depth = 1 + sum(_name(ancestor) == "navPoint" for ancestor in element.iterancestors())
        label = first_text(element, "text")
        source = next((content.get("src", "") for content in find_all(element, "content")), "")
        yield from _point(label, depth, source)


def _point(label: str, depth: int, source: str) -> Iterator[NavigationPoint]:
    words = without_marks(" ".join(label.split()))[:_LONGEST_LABEL]
    file, fragment = urldefrag(source)
    names = dict.fromkeys((posixpath.basename(unquote(file)), posixpath.basename(file)))
    if words:
        anchors = tuple(f"{name}_{fragment}" for name in names if fragment)
        yield NavigationPoint(words, max(depth, 1), anchors + tuple(names))


def _resolve(base: str, reference: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(base), unquote(reference)))


def _name(element: etree._Element) -> str:
    return etree.QName(element).localname
