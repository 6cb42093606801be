"""Program: reads a PDF on standard input, writes a line of JSON with title, author and outline, then its pages as text.

It imports nothing of this project, for it runs by its path in a process of its own.
"""

import json
import re
import resource
import statistics
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice, pairwise

import pypdfium2 as pdfium

REFUSED = 3
"""Exit status when the reason stands on standard error."""
_MEMORY_BYTES = 1 << 30
_MOST_BOOKMARKS = 10_000
_DEEPEST_BOOKMARK = 6
_LONGEST_TITLE = 300
_WIDE_GAP = 1.35
_INDENT = 0.5
_HYPHENS = ("\x02", "\ufffe")
_LINE = re.compile("([^\r\n\x02\ufffe]*)(\r\n|[\r\n\x02\ufffe]|\\Z)")


@dataclass(frozen=True)
class Line:
    """A printed line, and where it stands on its page, in points."""

    text: str
    left: float
    bottom: float


def page_text(lines: list[Line]) -> str:
    """Return the lines of a page; a blank line goes before an indented one and behind a wide gap."""
    if not lines:
        return ""
    drops = [above.bottom - below.bottom for above, below in pairwise(lines)]
    pitch = statistics.median([drop for drop in drops if drop > 0] or [0.0])
    margin = Counter(round(line.left) for line in lines).most_common(1)[0][0]
    parts = []
    for line, drop in zip(lines, [0.0, *drops], strict=True):
        is_indented = line.left - margin > _INDENT * pitch
        parts.append("\n" if pitch and (is_indented or drop > _WIDE_GAP * pitch) else "")
        parts.append(f"{line.text}\n")
    return "".join(parts)


def read_lines(page: pdfium.PdfPage) -> Iterator[Line]:
    """Yield the lines of a page that hold text.

    PDFium closes up a word that is hyphenated at a line's end, and marks the place; here the line ends again.
    """
    text_page = page.get_textpage()
    last = text_page.count_chars() - 1
    start = 0
    for piece in _LINE.finditer(text_page.get_text_range()):
        line, end = piece[1], piece[2]
        if line.strip():
            left, bottom, _, _ = text_page.get_charbox(min(start + len(line) - len(line.lstrip()), last), loose=True)
            yield Line(line.rstrip() + ("-" if end in _HYPHENS else ""), left, bottom)
        start += len(piece[0])
    text_page.close()


def read_outline(document: pdfium.PdfDocument) -> Iterator[tuple[int, int, str]]:
    """Yield level, from 1, page, from 0, and title of each bookmark that leads to a page."""
    for bookmark in document.get_toc(max_depth=_DEEPEST_BOOKMARK):
        title = " ".join(bookmark.get_title().split())[:_LONGEST_TITLE]
        place = bookmark.get_dest()
        page = place.get_index() if place else None
        if title and page is not None:
            yield bookmark.level + 1, page, title


def limit_memory() -> None:
    """Let a PDF that would fill the memory end this process instead; macOS, which has no such limit, refuses."""
    for kind, most_bytes in ((resource.RLIMIT_AS, _MEMORY_BYTES), (resource.RLIMIT_CORE, 0)):
        with suppress(ValueError, OSError):
            resource.setrlimit(kind, (most_bytes, most_bytes))


def main() -> int:
    """Write the text of the PDF on standard input to standard output."""
    limit_memory()
    sys.stdout.reconfigure(encoding="utf-8", errors="replace", newline="\n")  # type: ignore[union-attr]
    try:
        document = pdfium.PdfDocument(sys.stdin.buffer.read())
        facts = document.get_metadata_dict()
        told = {key.lower(): " ".join(facts.get(key, "").split()) for key in ("Title", "Author")}
        print(json.dumps({**told, "outline": list(islice(read_outline(document), _MOST_BOOKMARKS))}))
        for number in range(len(document)):
            print("\f" if number else "", end="")
            page = document[number]
            print(page_text(list(read_lines(page))), end="")
            page.close()
    except pdfium.PdfiumError as error:
        locked = "password" in str(error).lower()
        reason = "it is encrypted; save a copy without its password" if locked else f"it is a damaged PDF ({error})"
        print(reason, file=sys.stderr)
        return REFUSED
    except MemoryError:
        print(f"reading it takes more than {_MEMORY_BYTES >> 20} MB of memory", file=sys.stderr)
        return REFUSED
    return 0


if __name__ == "__main__":
    sys.exit(main())
