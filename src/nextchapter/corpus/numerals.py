"""Numbers as books print them: `12`, `XII`, `Twenty-Three`, `Einundzwanzigstes`, `première`, `第十二`."""

import re
import unicodedata
from itertools import pairwise

_LARGEST = 400
_ROMAN = re.compile(r"(?=[IVXLC])C{0,4}(?:XC|XL|L?X{0,4})(?:IX|IV|V?I{0,4})")
_ROMAN_VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}
_LOOKALIKES = str.maketrans("\u0406\u0425\u0421", "IXC")  # Cyrillic letters typed for Latin ones
_ARABIC = re.compile(r"(\d{1,4})(?:st|nd|rd|th|er|re|ère|e|ème|[ºª°]|[-‑](?:я|й|го))?(?!\w)", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]+(?:(?<=[пвПВ])['’](?=[яЯ])[^\W\d_]+)?")  # Ukrainian has an apostrophe in five and nine
_APOSTROPHES = frozenset("'’")
_AS_LETTER = str.maketrans("'’", "ʼʼ")
"""An apostrophe within a word, as Unicode has it for Ukrainian."""
_JOINT = re.compile(r"[\s\-‑]+")
_CONJUNCTIONS = frozenset(["and", "und", "et", "y", "e", "en", "og", "och", "i", "ja", "и"])
_BETWEEN_UNIT_AND_TEN = ("und", "en", "og")
START = 5
"""So many characters of a word tell most words from numbers."""
_HAN_DIGITS = {character: value for value, character in enumerate("〇一二三四五六七八九")} | {"零": 0, "两": 2, "兩": 2}
_HAN_UNITS = {"十": 10, "百": 100}

# Words in counting order from 1; a language may stand here several times.
_COUNTED = """
one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
    eighteen nineteen twenty
first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth
    sixteenth seventeenth eighteenth nineteenth twentieth
eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn siebzehn
    achtzehn neunzehn zwanzig
erst~ zweit~ dritt~ viert~ fünft~ sechst~ siebent~ acht~ neunt~ zehnt~ elft~ zwölft~ dreizehnt~ vierzehnt~
    fünfzehnt~ sechzehnt~ siebzehnt~ achtzehnt~ neunzehnt~ zwanzigst~
un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize
premier deuxième troisième quatrième cinquième sixième septième huitième neuvième dixième onzième douzième treizième
    quatorzième quinzième seizième
première seconde
unième second
uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciséis diecisiete dieciocho
    diecinueve veinte veintiuno veintidós veintitrés veinticuatro veinticinco veintiséis veintisiete veintiocho
    veintinueve treinta
primer~ segund~ tercer~ cuart~ quint~ sext~ séptim~ octav~ noven~ décim~ undécim~ duodécim~ decimotercer~
    decimocuart~ decimoquint~ decimosext~ decimoséptim~ decimoctav~ decimonoven~ vigésim~
primeir~ segund~ terceir~ quart~ quint~ sext~ sétim~ oitav~ non~ décim~
uno due tre quattro cinque sei sette otto nove dieci undici dodici tredici quattordici quindici sedici diciassette
    diciotto diciannove venti ventuno ventidue ventitré ventiquattro venticinque ventisei ventisette ventotto
    ventinove trenta
um dois três quatro cinco seis sete oito nove dez onze doze treze catorze quinze dezesseis dezessete dezoito dezenove
    vinte
prim~ second~ terz~ quart~ quint~ sest~ settim~ ottav~ non~ decim~ undicesim~ dodicesim~ tredicesim~ quattordicesim~
    quindicesim~ sedicesim~ diciassettesim~ diciottesim~ diciannovesim~ ventesim~
prim~ secund~ terti~ quart~ quint~ sext~ septim~ octav~ non~ decim~ undecim~ duodecim~
een twee drie vier vijf zes zeven acht negen tien elf twaalf dertien veertien vijftien zestien zeventien achttien
    negentien twintig
eerste tweede derde vierde vijfde zesde zevende achtste negende tiende elfde twaalfde dertiende veertiende vijftiende
    zestiende zeventiende achttiende negentiende twintigste
перв~ втор~ трет~ четверт~ пят~ шест~ седьм~ восьм~ девят~ десят~ одиннадцат~ двенадцат~ тринадцат~ четырнадцат~
    пятнадцат~ шестнадцат~ семнадцат~ восемнадцат~ девятнадцат~ двадцат~
перший другий третій четвертий пʼятий шостий сьомий восьмий девʼятий десятий одинадцятий дванадцятий тринадцятий
    чотирнадцятий пʼятнадцятий шістнадцятий сімнадцятий вісімнадцятий девʼятнадцятий двадцятий
перша друга третя четверта пʼята шоста сьома восьма девʼята десята одинадцята дванадцята
първа втора трета четвърта пета шеста седма осма девета десета единадесета дванадесета тринадесета четиринадесета
    петнадесета шестнадесета седемнадесета осемнадесета деветнадесета двадесета
първи втори трети четвърти пети шести седми осми девети десети единадесети дванадесети
прва друга трећа четврта пета шеста седма осма девета десета једанаеста дванаеста тринаеста четрнаеста петнаеста
    шеснаеста седамнаеста осамнаеста деветнаеста двадесета
prva druga treća četvrta peta šesta sedma osma deveta deseta jedanaesta dvanaesta trinaesta četrnaesta petnaesta
    šesnaesta sedamnaesta osamnaesta devetnaesta dvadeseta
första andra tredje fjärde femte sjätte sjunde åttonde nionde tionde elfte tolfte trettonde fjortonde femtonde
    sextonde sjuttonde adertonde nittonde tjugonde
første anden tredje fjerde femte sjette syvende ottende niende tiende ellevte tolvte trettende fjortende femtende
    sekstende syttende attende nittende tyvende
første andre tredje fjerde femte sjette sjuende åttende niende tiende
pierwszy drugi trzeci czwarty piąty szósty siódmy ósmy dziewiąty dziesiąty jedenasty dwunasty trzynasty czternasty
    piętnasty szesnasty siedemnasty osiemnasty dziewiętnasty dwudziesty
pierwsza druga trzecia czwarta piąta szósta siódma ósma dziewiąta dziesiąta
první druhá třetí čtvrtá pátá šestá sedmá osmá devátá desátá jedenáctá dvanáctá třináctá čtrnáctá patnáctá
první druhý třetí čtvrtý pátý šestý sedmý osmý devátý desátý
első második harmadik negyedik ötödik hatodik hetedik nyolcadik kilencedik tizedik tizenegyedik tizenkettedik
πρώτο δεύτερο τρίτο τέταρτο πέμπτο έκτο έβδομο όγδοο ένατο δέκατο ενδέκατο δωδέκατο
πρώτον δεύτερον τρίτον τέταρτον πέμπτον έκτον έβδομον όγδοον ένατον δέκατον ενδέκατον δωδέκατον
birinci ikinci üçüncü dördüncü beşinci altıncı yedinci sekizinci dokuzuncu onuncu
ensimmäinen toinen kolmas neljäs viides kuudes seitsemäs kahdeksas yhdeksäs kymmenes yhdestoista kahdestoista
    kolmastoista neljästoista viidestoista kuudestoista seitsemästoista kahdeksastoista yhdeksästoista kahdeskymmenes
"""
# Tens from 30 on, and those that stand before a unit.
_TENS = {
    20: "twenty zwanzig zwanzigst~ vingt vingtième vigésim~ veinti vinte двадцать двадцять двадесет"
    " dvadeset tjugo twintig",
    30: "thirty thirtieth dreißig dreissig dreißigst~ dreissigst~ trente trentième trigésim~ treinta trentesim~"
    " trinta тридцать тридцат~ тридцять тридцята тридцятий тридесет trideset dertig dertigste trettio",
    40: "forty fourty fortieth vierzig vierzigst~ quarante quarantième quadragésim~ cuadragésim~ cuarenta quaranta"
    " quarantesim~ сорок сороков~ veertig veertigste fyrtio",
    50: "fifty fiftieth fünfzig fünfzigst~ cinquante cinquantième quinquagésim~ cincuenta cinquanta пятьдесят"
    " пятидесят~ vijftig vijftigste femtio",
    60: "sixty sixtieth sechzig sechzigst~ soixante soixantième sesenta sessanta шестьдесят zestig zestigste",
    70: "seventy seventieth siebzig siebzigst~ setenta settanta семьдесят",
    80: "eighty eightieth achtzig achtzigst~ ochenta ottanta восемьдесят",
    90: "ninety ninetieth neunzig neunzigst~ noventa novanta девяносто",
    100: "hundred hundredth hundert hundertst~ cent centième cien ciento cento сто",
}
_ENDINGS = "_ e er es en o a us um os as ый ой ий ая яя ое ее ья ье ого"


def read_number(text: str) -> tuple[int, str] | None:
    """Return the number at the start of a text, from 0 to 9999, and what follows it; None when there is none.

    Roman numerals are capital and at most CCCC; words are cardinals and ordinals of a dozen languages.
    """
    arabic = _ARABIC.match(text)
    if arabic:
        return int(arabic[1]), text[arabic.end() :]
    roman = _read_roman(text)
    return roman or _read_words(text)


def may_begin_number(start: str) -> bool:
    """Return whether a word that begins so can begin a number; False is certain, True is only a guess.

    Telling is much cheaper than reading the number, as few words begin like a number.

    Args:
        start: the first `START` characters of the word, or all of a shorter one.
    """
    if start[:1].isdecimal():
        return True
    word = _WORD.match(start)
    if word is None or start[word.end() : word.end() + 1] in _APOSTROPHES:
        return False
    folded = fold(word[0].translate(_AS_LETTER))
    begins_word = folded[:START] in NUMBER_STARTS or folded in _VALUES or len(folded) < len(word[0])
    return begins_word or any(_ROMAN.fullmatch(_roman_letters(letters)) for letters in (word[0], word[0].upper()))


def _goes_on(following: str) -> bool:
    """Return whether the character behind a word makes it part of a longer one: `XXth`, `I'm`."""
    return following.isalnum() or following in _APOSTROPHES


def _roman_letters(word: str) -> str:
    return unicodedata.normalize("NFKC", word).translate(_LOOKALIKES)


def _read_roman(text: str) -> tuple[int, str] | None:
    word = _WORD.match(text)
    letters = _roman_letters(word[0]) if word else ""
    if not word or not _ROMAN.fullmatch(letters) or _goes_on(text[word.end() : word.end() + 1]):
        return None
    values = [_ROMAN_VALUES[letter] for letter in letters]
    total = sum(-value if value < after else value for value, after in pairwise([*values, 0]))
    return total, text[word.end() :]


def _read_words(text: str) -> tuple[int, str] | None:
    """Add up number words as long as each is smaller than the last: `one hundred and twenty-third`."""
    total, smallest, end, at = 0, _LARGEST, 0, 0
    while word := _WORD.match(text, at):
        key = fold(word[0].translate(_AS_LETTER))
        value = _value_of(key)
        if value == 100 and 1 <= total <= 9:
            total, smallest, end = total * 100, 100, word.end()
        elif value and value < smallest and (not total or smallest >= 10):
            total, smallest, end = total + value, value, word.end()
        elif not (end and key in _CONJUNCTIONS):
            break
        joint = _JOINT.match(text, word.end())
        if joint is None:
            break
        at = joint.end()
    if not total or _goes_on(text[end : end + 1]):
        return None
    return total, text[end:]


def _value_of(word: str) -> int | None:
    """Return the value of a word, also of one grown together: `einundzwanzigstes`, `tjugoförsta`."""
    if word in _VALUES:
        return _VALUES[word]
    if word[:START] not in NUMBER_STARTS:
        return None
    for cut in range(3, len(word) - 3):
        unit, ten = word[:cut], word[cut:]
        for joint in _BETWEEN_UNIT_AND_TEN:
            stem = unit.removesuffix(joint)
            if stem != unit and _VALUES.get(stem, 10) < 10 and _VALUES.get(ten, 0) in _TENS:
                return _VALUES[stem] + _VALUES[ten]
        if _VALUES.get(unit, 0) in _TENS and _VALUES.get(ten, 10) < 10:
            return _VALUES[unit] + _VALUES[ten]
    return None


def read_han_number(text: str) -> int | None:
    """Return the value of a Chinese or Japanese number, or of digits of any width: `二十三`, `２３`, `一〇五`."""
    if text.isdecimal():
        return int(text)
    total, digit = 0, 0
    for character in text:
        if character in _HAN_UNITS:
            total += (digit or 1) * _HAN_UNITS[character]
            digit = 0
        elif character in _HAN_DIGITS:
            digit = 10 * digit + _HAN_DIGITS[character]
        else:
            return None
    return total + digit


def fold(word: str) -> str:
    """Return a word in lower case without its accents."""
    if word.isascii():
        return word.lower()
    decomposed = unicodedata.normalize("NFKD", word.casefold())
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def _word_values() -> dict[str, int]:
    values: dict[str, int] = {"ein": 1, "een": 1}
    lines = [words.split() for words in re.sub(r"\n\s+", " ", _COUNTED).strip().splitlines()]
    numbered = [(word, value) for words in lines for value, word in enumerate(words, start=1)]
    numbered += [(word, value) for value, words in _TENS.items() for word in words.split()]
    for word, value in numbered:
        stem = fold(word.removesuffix("~"))
        for ending in _ENDINGS.split() if word.endswith("~") else ("_",):
            values.setdefault(stem + fold(ending.strip("_")), value)
    return values


_VALUES = _word_values()
_SHORT_TENS = [word for word, value in _VALUES.items() if value in _TENS and len(word) < START]
NUMBER_STARTS = frozenset(
    [f"{word}{joint}"[:START] for word in _VALUES for joint in ("", *_BETWEEN_UNIT_AND_TEN)]
    + [f"{ten}{unit}"[:START] for ten in _SHORT_TENS for unit in _VALUES]
)
"""How all number words begin, those grown together among them."""
