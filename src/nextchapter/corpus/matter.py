"""The parts of a book that are no chapters: prefaces and epilogues, and what printers and editors put around a text."""

import re
from collections.abc import Iterator, Sequence

from nextchapter.corpus.numerals import fold, read_number
from nextchapter.corpus.paragraphs import split_blocks
from nextchapter.corpus.removals import ink
from nextchapter.corpus.sentences import ENDS

CHAPTER = "chapter"
_NAMES = {
    "prologue": "prologue, prolog, prologo, proloog, prologi, prológ, előhang, пролог, πρόλογος, プロローグ, 序章, "
    "楔子, 프롤로그",
    "preface": "preface, foreword, forewords, prefatory note, to the reader, to the readers, to my readers, vorwort, "
    "vorrede, geleitwort, an den leser, préface, avant propos, avertissement, au lecteur, prefacio, prefácio, al "
    "lector, "
    "ao leitor, prefazione, al lettore, prefatio, praefatio, voorwoord, voorrede, aan den lezer, förord, företal, "
    "forord, alkusanat, esipuhe, przedmowa, od autora, předmluva, predslov, előszó, prefață, предисловие, от автора, "
    "к читателю, передмова, πρόλογος του συγγραφέα, önsöz, 序, 序言, 序文, 自序, 前言, まえがき, 서문, 머리말",
    "introduction": "introduction, introductory, introductory note, einleitung, einführung, introducción, introdução, "
    "introduzione, inleiding, inledning, indledning, innledning, johdanto, wstęp, wprowadzenie, úvod, bevezetés, "
    "introducere, введение, вступление, вступ, εισαγωγή, giriş, 引言, 导言, 導言, 緒論, はじめに",
    "interlude": "interlude, intermezzo, intermède, entr acte, interludio, interlúdio, intermedio, zwischenspiel, "
    "tussenspel, mellanspel, mellemspil, mellomspill, välisoitto, interludium, intermedium, mezihra, közjáték, "
    "интерлюдия, интермедия, інтерлюдія, ιντερλούδιο, ιντερμέδιο, 间章, 間章, 间奏, 間奏, 幕间, 幕間, 막간",
    "epilogue": "epilogue, epilog, epílogo, epilogo, epiloog, epilogi, utóhang, эпилог, епілог, επίλογος, sonsöz, "
    "エピローグ, 終章, 尾声, 尾聲, 에필로그",
    "conclusion": "conclusion, conclusión, conclusão, conclusione, schluss, schluß, besluit, slutning, slutord, "
    "zakończenie, závěr, befejezés, заключение, висновок, 结论, 結論, おわりに",
    "afterword": "afterword, postscript, nachwort, schlusswort, schlußwort, postface, posfacio, posfácio, "
    "postfazione, "
    "nawoord, efterord, etterord, jälkisanat, posłowie, doslov, utószó, послесловие, післямова, 后记, 後記, 跋, "
    "あとがき, 후기",
}
_INTERLUDES = frozenset({"prologue", "interlude", "epilogue"})
_AMBIGUOUS = frozenset({"introduction", "conclusion"})
_AUTHORS_NOTE = (
    "author s note, note by the author, author s preface, note de l auteur, nota del autor, anmerkung des autors"
)
_APPARATUS = (
    # English
    "contents, table of contents, list of chapters, illustrations, list of illustrations, list of plates, list of "
    "maps, "
    "copyright, copyright page, title page, half title, cover, dedication, dedicated, acknowledgments, "
    "acknowledgements, "
    "about the author, about the authors, about the publisher, about this book, license, licence, index, "
    "general index, notes, footnotes, endnotes, bibliography, references, works cited, glossary, appendix, colophon, "
    "imprint, errata, corrigenda, by the same author, from the same publisher, "
    "uncopyright, titlepage, epigraph, advertisements, advertisement, "
    "transcriber s note, transcriber s notes, transcribers note, transcribers notes, "
    "dramatis personae, persons of the play, credits, newsletter, the full project gutenberg license, "
    # German, Dutch, Scandinavian
    "inhalt, inhaltsverzeichnis, widmung, danksagung, über den autor, impressum, register, anmerkungen, fußnoten, "
    "fussnoten, literaturverzeichnis, verzeichnis der abbildungen, anmerkungen zur transkription, vom selben "
    "verfasser, "
    "von demselben verfasser, werbung, anzeigen, lizenz, inhoud, inhoudsopgave, noten, voetnoten, opdracht, "
    "innehåll, innehållsförteckning, noter, fotnoter, indhold, innhold, sisältö, sisällys, viitteet, "
    # French, Spanish, Portuguese, Italian, Romanian, Latin
    "table, table des matières, table des chapitres, table des illustrations, dédicace, remerciements, "
    "à propos de l auteur, du même auteur, ouvrages du même auteur, notes de bas de page, bibliographie, mentions "
    "légales, "
    "note du transcripteur, notes du transcripteur, note au lecteur de ce fichier, índice, indice, dedicatoria, "
    "agradecimientos, sobre el autor, notas, bibliografía, del mismo autor, nota del transcriptor, licencia, "
    "dedicatória, "
    "agradecimentos, sobre o autor, notas do transcritor, sommario, dedica, ringraziamenti, note, note al testo, "
    "bibliografia, dello stesso autore, cuprins, "
    # Polish, Czech, Hungarian, Russian, Ukrainian, Greek, Turkish
    "spis treści, spis rzeczy, przypisy, dedykacja, podziękowania, o autorze, obsah, poznámky, poděkování, tartalom, "
    "jegyzetek, содержание, оглавление, посвящение, благодарности, об авторе, примечания, комментарии, зміст, "
    "примітки, "
    "περιεχόμενα, σημειώσεις, içindekiler, notlar, teşekkür, "
    # Chinese, Japanese, Korean
    "目录, 目錄, 目次, 版权, 版權, 版權頁, 版权页, 注释, 註釋, 献词, 致谢, 關於作者, 关于作者, 奥付, 차례, 목차"
)
_ARTICLE = r"(?:(?:the|an?|der|die|das|la|le|les|el|il|o|de|het) )?"
_POSSESSOR = r"(?:(?:author|editor|translator|publisher)s? s? ?)?"
_NUMBER = r"(?: (?:\d{1,3}|[ivxlc]{1,7}|one|two|three|four|five|six|seven|eight|nine|ten))?"
_TAIL = r"(?: (?:to|by|of|from|for|zu|zur|zum|von|des|de|du|d|par|pour|del|della|di|da|do|av|til|till|к|ко)\b.*)?"
_LONGEST_NAME = 70
_SHORTEST_PARAGRAPH = 100
_SHORTEST_PROSE = 200
_PROSE_SHARE = 0.5
_GAP_LINES = 3
_SENTENCE_ENDS = tuple(f"{ENDS}\"”’'»」』")
_FIRST_THAI, _LAST_LAO = "\u0e00", "\u0eff"


def _key(text: str) -> str:
    return " ".join(re.findall(r"\w+", fold(text)))


def _names(listed: str) -> str:
    return "|".join(re.escape(_key(name)).replace(r"\ ", " ") for name in listed.split(","))


_KINDS = {
    kind: re.compile(f"{_ARTICLE}{_POSSESSOR}(?:{_names(listed)})(?:{_NUMBER}|{_TAIL})")
    for kind, listed in _NAMES.items()
}
_FIRST_WORDS = frozenset(_key(name).split()[0] for listed in _NAMES.values() for name in listed.split(","))
"""One of these stands in each heading that names an author's addition."""
_AUTHOR = re.compile(f"{_ARTICLE}(?:{_names(_AUTHORS_NOTE)}){_TAIL}")
_OTHER_BOOKS = r"(?:\w+ ){0,5}(?:also|books|works|novels|stories) (?:by|of the same)(?: \w+){1,6}"
_IMPRINT = re.compile(
    r"©|\(c\) ?\d{4}|\bISBN\b|copyright|all rights reserved|rights of translation|no part of this|published by|"
    r"printed (?:in|by|at)|library of congress|work of fiction|any resemblance|alle rechte|gedruckt|nachdruck|"
    r"tous droits|imprim[ée]|achevé d|derechos reservados|direitos reservados|diritti riservati|impreso en|stampato|"
    r"все права|отпечатано|издательств|wszelkie prawa|版权|版權|著作権|e-?book|public domain|creative commons",
    re.IGNORECASE,
)
_BEFORE_SUBTITLE = re.compile(r"(?<=\w)(?:[:.—–]+\s*(?=\w)|\s+[-—–]\s+)|(?<=[\u3040-\u9fff])\s+")
_DASHES = ("—", "–", "-", "―")
_NO_TEXT = re.compile(f"{_ARTICLE}{_POSSESSOR}(?:{_names(_APPARATUS)}){_TAIL}|{_OTHER_BOOKS}")


def kind_of_matter(heading: str, is_behind: bool = False) -> str | None:
    """Return what an author's addition to a book is by its heading (`preface`, `epilogue`, ...), or None.

    Args:
        heading: the heading as printed; `Prologue: The Storm` and `Interlude II` say what they are as well.
        is_behind: whether it stands behind the chapters, where an author's note is an afterword and no preface.
    """
    key = _key(heading) if len(heading) <= _LONGEST_NAME else ""
    if _AUTHOR.fullmatch(key):
        return "afterword" if is_behind else "preface"
    kind = _kind_of(heading)
    return "epilogue" if kind == "conclusion" else kind


def is_interlude(heading: str) -> bool:
    """Return whether a heading names a prologue, interlude or epilogue, which may stand between chapters as well.

    Prefaces, introductions and conclusions do not: within a chapter, they are parts of it.
    """
    return _kind_of(heading) in _INTERLUDES


def _kind_of(heading: str) -> str | None:
    if len(heading) > _LONGEST_NAME:
        return None
    key = _key(heading)
    if _FIRST_WORDS.isdisjoint(key.split()):
        return None
    name = _BEFORE_SUBTITLE.split(heading.strip(), maxsplit=1)[0]
    counted = read_number(name)
    keys = {key, _key(name), _key(counted[1] if counted and name[0].isalpha() else "")}
    return next((kind for kind, names in _KINDS.items() if any(map(names.fullmatch, keys))), None)


def is_apparatus(heading: str) -> bool:
    """Return whether a heading names what is not the author's text: contents, notes, index, licence, advertisements."""
    return len(heading) <= _LONGEST_NAME and _NO_TEXT.fullmatch(_key(heading)) is not None


def names_matter(heading: str) -> bool:
    """Return whether a heading is the name of an author's addition or of apparatus."""
    return kind_of_matter(heading) is not None or is_apparatus(heading)


def may_be_chapter(heading: str) -> bool:
    """Return whether a name of matter could be a chapter's as well: `Introduction`, `Conclusion`, `Notes`, `Index`."""
    return is_apparatus(heading) or _kind_of(heading) in _AMBIGUOUS


def is_prose(lines: Sequence[str]) -> bool:
    """Return whether most of a stretch of lines is paragraphs of sentences, rather than a list or a title page."""
    paragraphs = ["".join(block) for block in split_blocks(lines)]
    prose = sum(
        size
        for paragraph in paragraphs
        if (size := ink(paragraph)) >= _SHORTEST_PARAGRAPH and _ends_sentence(paragraph)
    )
    return prose >= max(_SHORTEST_PROSE, _PROSE_SHARE * sum(map(ink, paragraphs)))


def start_of_prose(lines: Sequence[str], fewest: int) -> int | None:
    """Return where running prose begins in a stretch of lines, behind title page, imprint and mottoes.

    Args:
        lines: the stretch.
        fewest: ink of the paragraphs that there must be, and half of all ink from the first of them on.

    Returns:
        The line, or None where the stretch holds too little prose.
    """
    starts = [index for index, line in enumerate(lines) if line.strip() and not (index and lines[index - 1].strip())]
    blocks = [" ".join(line.strip() for line in block) for block in split_blocks(lines)]
    followed = zip(blocks, [*blocks[1:], ""], strict=False)
    prose = [
        place for place, (block, after) in enumerate(followed) if _is_paragraph(block) and after[:1] not in _DASHES
    ]
    if not prose:
        return None
    first = prose[0]
    total = sum(ink(blocks[place]) for place in prose)
    if total < max(fewest, _PROSE_SHARE * sum(map(ink, blocks[first:]))):
        return None
    while first and _is_sentence(blocks[first - 1]):
        first -= 1
    return starts[first]


def _is_paragraph(block: str) -> bool:
    """Return whether a block is long and ends as a sentence does, and says nothing of rights and printers."""
    return ink(block) >= _SHORTEST_PARAGRAPH and _ends_sentence(block) and not _IMPRINT.search(block)


def _is_sentence(block: str) -> bool:
    """Return whether a short block is a sentence of a text, rather than a line of a title page."""
    words = block.split()
    small = sum(word[:1].islower() for word in words)
    return _ends_sentence(block) and not _IMPRINT.search(block) and len(words) > 2 and 2 * small >= len(words)


def _ends_sentence(block: str) -> bool:
    bare = block.rstrip(" _)]）］")
    return bare.endswith(_SENTENCE_ENDS) or _FIRST_THAI <= bare[-1:] <= _LAST_LAO


def end_of_prose(lines: Sequence[str]) -> int:
    """Return where the last prose of a stretch of lines ends that gaps divide; 0 where none of it is prose."""
    end = start = 0
    for stop in gaps(lines):
        if is_prose(lines[start:stop]):
            end = stop
        start = stop
    return end


def gaps(lines: Sequence[str]) -> Iterator[int]:
    """Yield the lines behind each gap of three blank lines or more within a stretch, and the end of it."""
    blank, inked = 0, False
    for index, line in enumerate(lines):
        if not line.strip():
            blank += 1
            continue
        if blank >= _GAP_LINES and inked:
            yield index
        blank, inked = 0, True
    yield len(lines)
