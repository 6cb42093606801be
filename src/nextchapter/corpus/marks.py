"""The marks of chapters and volumes: what a line says when it is read as a heading.

A mark is only a guess: `1. Take two eggs` reads like a chapter. `layouts.py` decides which marks count.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from nextchapter.corpus.lines import Lines
from nextchapter.corpus.numerals import START, fold, may_begin_number, read_han_number, read_number
from nextchapter.corpus.words import MARKS

LONGEST_HEADING = 150
_MOST_MARKS = 1500
_LONGEST_PLAIN = 30
_SHORT_WORD = 3
_DECORATION = " \t*_=#~|<>{}[]«»•·—–-"
CLOSING = ".:;," + _DECORATION
_NOT_CLOSING = "!?\"'”’)"

_CHAPTER_WORDS = (
    # English, Latin
    "chapter letter adventure stave canto scene tale story night fytte episode lecture sermon essay "
    "caput cap scena epistola "
    # German, Dutch, Scandinavian, Finnish
    "Kapitel Kapitlet Kapittel Brief Gesang Szene Auftritt Scen Abenteuer Hoofdstuk Toneel Luku Sång "
    # French, Spanish, Catalan, Portuguese, Italian, Romanian
    "Chapitre Lettre Chant Scène Aventure Capítulo Capítol Carta Escena Jornada Cena Capitolo Lettera Novella "
    "Capitolul "
    # Slavic languages
    "Глава Письмо Явление Сцена Розділ Поглавље Glava Poglavlje Rozdział Kapitola "
    # Hungarian, Greek, Turkish, Vietnamese, Esperanto, Hindi, Thai
    "Fejezet Κεφάλαιο Κεφάλαιον Bölüm Chương Ĉapitro अध्याय บทที่ "
    # Chinese, Japanese, Korean
    "章 回 節 节 话 話 篇 장 화 회 절"
)
_VOLUME_WORDS = (
    "volume book part act liber "
    "Band Buch Teil Akt Aufzug Deel Boek Bedrijf Bok Bind Del Osa Kirja "
    "Tome Livre Partie Acte Tomo Volumen Libro Parte Acto Livro Atto Actus Volumul Partea "
    "Том Книга Часть Действие Частина Tom Księga Część Kniha Díl Kötet Rész Τόμος Βιβλίο Μέρος Cilt Kitap "
    "卷 部 編 编 册 冊 부 권 편 막"
)
_NUMBERS, _ROMAN, _NUMBER_WORDS, _TITLED = "numbers", "Roman numerals", "number words", " with titles"
NUMERAL_STYLES = frozenset([_NUMBERS, _ROMAN, _NUMBER_WORDS, f"{_NUMBERS}{_TITLED}", f"{_ROMAN}{_TITLED}"])
CHAPTER_WORDS = frozenset(fold(word) for word in _CHAPTER_WORDS.split())
VOLUME_WORDS = frozenset(fold(word) for word in _VOLUME_WORDS.split())
_DIVISION_WORDS = CHAPTER_WORDS | VOLUME_WORDS
_SPELLINGS = {"scoena": "scena", "chap": "chapter", "ch": "chapter", "vol": "volume", "theil": "teil", "kap": "kapitel"}

_THE_LAST = -1
_FIRST_HAN = 0x2E80
_LAST_WORDS = "last final dernier dernière letztes último ultimo laatste последняя".split()
_LAST = re.compile(rf"(?:{'|'.join(_LAST_WORDS)})(?=\W|$)", re.IGNORECASE)
_ENDS_OF_NUMBERS = ".,:;"
_LAST_STARTS = frozenset(fold(word)[:START] for word in _LAST_WORDS)
_ARTICLE = re.compile(r"(?:the|der|die|das|le|la|el|il|den|det)\s+", re.IGNORECASE)
_WORD_FIRST = re.compile(rf"(?P<word>[^\W\d_](?:[^\W\d_]|[{MARKS}]){{1,19}}+)(?:\.\s*|\s+)(?P<rest>\S.*)")
_WORD_AFTER = re.compile(r"[.\s]\s*(?P<word>[^\W\d_]{2,20})\.?(?P<rest>.*)")
_ROMAN_TOKEN = re.compile("[IVXLC\u0406\u0425\u0421\u2160-\u217f]+")
_LOWER_ROMAN = re.compile(r"[ivxlc]+(?=\W|$)")
_HAN_ORDINAL = "第"
_HAN = re.compile(
    rf"{_HAN_ORDINAL}\s*(?P<number>[\d〇零一二两兩三四五六七八九十百]+)\s*(?P<word>[章回節节话話篇卷部編编册冊])(?P<rest>.*)"
)
_HAN_VOLUME = re.compile(
    r"(?P<word>[卷部編编冊册])[之第]?(?P<number>[\d〇零一二两兩三四五六七八九十百]+)(?P<rest>\s.*|)"
)
_HANGUL_ORDINAL = "제"
_HANGUL = re.compile(
    rf"(?:{_HANGUL_ORDINAL}\s*)?(?P<number>\d{{1,4}})\s*(?P<word>[장화회절부권편막])(?P<rest>[\s.:,].*|)"
)
_HAN_STARTS = frozenset(f"{_HAN_ORDINAL}{_HANGUL_ORDINAL}卷部編编冊册")
_SEPARATOR = re.compile(r"\s*[.,:;)\]|]?\s*[—–-]+\s*|[.,:;)\]|](?!\d)\s*|\s{2,}")

# By code unit of UTF-16: of a letter or a digit, or the first of the two of a rare character; of a small letter.
_OPENS_WORD = np.array([chr(code).isalnum() or 0xD800 <= code < 0xDC00 for code in range(1 << 16)])
_IS_SMALL = np.array([chr(code).islower() for code in range(1 << 16)])


@dataclass(frozen=True)
class Mark:
    """A line that reads like a heading."""

    line: int
    """Where it stands."""
    style: str
    """Its word (`chapter`, `kapitel`, ...), or what stands alone: one of `NUMERAL_STYLES`, or a style of titles."""
    number: int
    """Its number."""
    label: str
    """Its word and number as printed."""
    title: str = ""
    """What stands behind them on the line, with what parts them."""

    @property
    def printed(self) -> str:
        """The line as printed, its white space collapsed."""
        return " ".join(f"{self.label}{self.title}".split())

    @property
    def is_volume(self) -> bool:
        """Whether it names a volume, book, part or act."""
        return self.style in VOLUME_WORDS


@dataclass(frozen=True)
class _Named:
    """A number with the word before or behind it."""

    word: str
    number: int
    rest: str

    @property
    def is_plain(self) -> bool:
        return not self.rest.strip(CLOSING)


def find_marks(lines: Sequence[str]) -> list[Mark]:
    """Return the marks of a book in their order; a line such as `ACT I. SCENE I.` bears two.

    A style with thousands of marks (verses, entries of a dictionary) marks no chapters and is left out.
    """
    marks: list[Mark] = []
    latest: dict[str, int] = {}
    for mark in _read_lines(Lines.of(lines)):
        counted = replace(mark, number=latest.get(mark.style, 0) + 1) if mark.number == _THE_LAST else mark
        latest[mark.style] = counted.number
        marks.append(counted)
    counts = Counter(mark.style for mark in marks)
    return [mark for mark in marks if counts[mark.style] <= _MOST_MARKS]


def is_capitalised(text: str) -> bool:
    """Return whether most words of a text begin with capitals, all long ones do, or none has a case."""
    words = [word.strip(".,:;!?\"'“”‘’()_*") for word in text.split()]
    lower = [word for word in words if word[:1].islower()]
    return 2 * len(lower) < max(1, len(words)) and all(len(word) <= _SHORT_WORD for word in lower)


def is_chapter_heading(line: str) -> bool:
    """Return whether a line holds nothing but the word for a chapter and its number."""
    bare = line.strip().strip(_DECORATION)
    named = _read_named(bare) if 0 < len(bare) <= LONGEST_HEADING else None
    return named is not None and named.is_plain and named.word in CHAPTER_WORDS


def _read_lines(lines: Lines) -> Iterator[Mark]:
    """Yield the marks of a book; the first line, and the one below a mark, may be one where others may not."""
    candidates = [*_candidates(lines), len(lines)]
    place, below_mark = 0, _next_bare(lines, 0)
    while (index := min(candidates[place], below_mark)) < len(lines):
        marks = _marks_of(lines, index, is_below_mark=index == below_mark)
        yield from marks
        place += candidates[place] == index
        if marks:
            below_mark = _next_bare(lines, index + 1)
        elif index == below_mark:
            below_mark = len(lines)


def _candidates(lines: Lines) -> list[int]:
    """Return the lines that may be marks, though not below another: all such are among them.

    Each begins with a letter or a digit. In a line that opens no paragraph nothing may stand behind the number, so no
    speech ends there; and if it begins with a small letter, it is a number and no more.
    """
    is_decorated = lines.begin_with(_DECORATION) | lines.end_with(_DECORATION)
    opens_word = _OPENS_WORD[lines.firsts] | is_decorated
    is_edge = lines.blank_above | (lines.blank_below & ~lines.end_with(_NOT_CLOSING))
    may_stand = (is_edge & (lines.widths <= LONGEST_HEADING)) | (lines.widths <= _LONGEST_PLAIN) | is_decorated
    candidates = np.flatnonzero(may_stand & opens_word & ~lines.is_blank)
    is_number = (~lines.blank_above & _IS_SMALL[lines.firsts] & ~is_decorated)[candidates]
    return [
        index
        for index, is_number_alone in zip(candidates.tolist(), is_number.tolist(), strict=True)
        if (
            _may_begin_count(lines.stripped[index][:START])
            if is_number_alone
            else _may_be_mark(lines.stripped[index].strip(_DECORATION))
        )
    ]


def _next_bare(lines: Lines, index: int) -> int:
    """Return the first line from an index on that is more than decoration, or the end."""
    while index < len(lines) and not lines.stripped[index].strip(_DECORATION):
        index += 1
    return index


def _marks_of(lines: Lines, index: int, is_below_mark: bool) -> list[Mark]:
    """Return the marks of a line: one within a paragraph must be short, or stand below another."""
    bare = lines.stripped[index].strip(_DECORATION)
    blank_before = index == 0 or not lines.stripped[index - 1]
    blank_after = index == len(lines) - 1 or not lines.stripped[index + 1]
    may_stand = blank_before or blank_after or is_below_mark or len(bare) <= _LONGEST_PLAIN
    if not bare or not may_stand or len(bare) > LONGEST_HEADING or not _may_be_mark(bare):
        return []
    return list(_read_line(index, bare, is_below_mark or blank_before, blank_before, blank_after))


def _may_be_mark(bare: str) -> bool:
    """Return whether one of the first three words, or a part of the first, may be the number that each mark has.

    This is cheap, and spares most lines the reading.
    """
    words = bare.split(None, 3)[:3]
    for word in words:
        if _may_begin_count(word[:START]):
            return True
    return bool(words) and ("." in words[0].rstrip(".") or bare[0] in _HAN_STARTS)


@lru_cache(maxsize=1 << 16)
def _may_begin_count(start: str) -> bool:
    """Return whether a number, or a word for the last one, may be the first word of a text that begins so."""
    word = "".join(start.split(None, 1)[:1])
    return may_begin_number(word) or fold(word.rstrip(_ENDS_OF_NUMBERS))[:START] in _LAST_STARTS


def _read_line(index: int, bare: str, opens: bool, blank_before: bool, blank_after: bool) -> Iterator[Mark]:
    named = _read_named(bare)
    if named is not None:
        return _named_marks(index, bare, named, opens, blank_before and blank_after)
    return _numbered_marks(index, bare, opens, blank_before or blank_after)


def _named_marks(line: int, bare: str, named: _Named, opens: bool, is_alone: bool) -> Iterator[Mark]:
    """Yield the marks of a line with a word and a number.

    Args:
        line: its index.
        bare: the line without decoration.
        named: what was read in it.
        opens: whether a paragraph begins there, or the line before is a mark.
        is_alone: whether blank lines stand around it.
    """
    if bare[0].islower():
        if named.is_plain and is_alone:
            yield Mark(line, named.word, named.number, bare)
    elif named.is_plain or (opens and _is_title(named.rest)):
        within = named.rest.lstrip(CLOSING)
        inner = _read_named(within) if named.word in VOLUME_WORDS else None
        if inner is None or not _is_title(inner.rest):
            yield _mark(line, named.word, named.number, bare, named.rest)
        else:
            yield Mark(line, named.word, named.number, bare[: -len(named.rest)])
            yield _mark(line, inner.word, inner.number, within, inner.rest)


def _mark(line: int, style: str, number: int, text: str, rest: str) -> Mark:
    """Return the mark of a text that ends with `rest`, which is its title unless it only closes the number."""
    if not rest.strip(CLOSING):
        return Mark(line, style, number, text)
    return Mark(line, style, number, text.removesuffix(rest), rest)


def _numbered_marks(line: int, bare: str, opens: bool, is_loose: bool) -> Iterator[Mark]:
    """Yield the mark of a line with a number and no word; `is_loose`: a blank line stands before or behind it."""
    read = read_number(bare)
    if read is None:
        return
    number, rest = read
    token = bare[: len(bare) - len(rest)]
    style = _NUMBERS if token[0].isdigit() else _ROMAN if _ROMAN_TOKEN.fullmatch(token) else _NUMBER_WORDS
    if not rest.strip(CLOSING):
        if is_loose:
            yield Mark(line, style, number, bare)
    elif opens and style != _NUMBER_WORDS and _is_title(rest) and (_SEPARATOR.match(rest) or rest.isupper()):
        yield _mark(line, f"{style}{_TITLED}", number, bare, rest)


def _read_named(bare: str) -> _Named | None:
    """Read `Chapter IV. A Title`, `Erstes Kapitel`, `BOOK THE FIRST`, `第四回` or `제4장`."""
    han = (_HAN.match(bare) or _HAN_VOLUME.fullmatch(bare)) if bare[:1] in _HAN_STARTS else None
    if han:
        number = read_han_number(han["number"])
        return _Named(han["word"], number, han["rest"]) if number is not None else None
    hangul = _HANGUL.fullmatch(bare) if bare[:1] == _HANGUL_ORDINAL or bare[:1].isdecimal() else None
    if hangul:
        return _Named(fold(hangul["word"]), int(hangul["number"]), hangul["rest"])
    first = _WORD_FIRST.match(bare)
    if first and not _ARTICLE.match(bare) and _read_number_of(first["word"]) is None:
        read = _read_number_of(first["rest"])
        return _Named(_fold_word(first["word"]), *read) if read else None
    leading = _read_number_of(bare)
    after = _WORD_AFTER.match(leading[1]) if leading else None
    if leading and after and _fold_word(after["word"]) in _DIVISION_WORDS:
        return _Named(_fold_word(after["word"]), leading[0], after["rest"])
    return None


def _read_number_of(text: str) -> tuple[int, str] | None:
    """Read a number after an article, and a Roman one in small letters as well."""
    article = _ARTICLE.match(text)
    text = text[article.end() :] if article else text
    last = _LAST.match(text)
    if last:
        return _THE_LAST, text[last.end() :]
    if not _may_begin_count(text[:START]):
        return None
    lower = _LOWER_ROMAN.match(text)
    return read_number(text[: lower.end()].upper() + text[lower.end() :] if lower else text)


def _fold_word(word: str) -> str:
    folded = fold(word)
    return _SPELLINGS.get(folded, folded)


def _is_title(rest: str) -> bool:
    """Return whether what follows a number can be a title, rather than the rest of a sentence."""
    separator = _SEPARATOR.match(rest)
    if separator is None and rest[:1].strip() and ord(rest[0]) < _FIRST_HAN:
        return False
    words = (rest[separator.end() :] if separator else rest).strip(_DECORATION)
    return not words or not words[0].islower() or is_capitalised(words)
