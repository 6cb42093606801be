"""Which encoding bytes are in that declare none and are not UTF-8: the one whose text of a sample is the likeliest."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from charset_normalizer import from_bytes

# In the order of preference where several make equally likely text; of kin the one with more characters.
_SINGLE_BYTE = (
    "cp1252 cp1251 cp1250 iso8859_2 cp1253 iso8859_7 cp1254 cp1255 cp1256 cp1257 koi8_r koi8_u iso8859_5 cp866 "
    "mac_roman cp850 cp437 cp852"
).split()
_OF_OTHER_SCRIPTS = frozenset("cp1251 cp1253 iso8859_7 cp1255 cp1256 koi8_r koi8_u iso8859_5 cp866".split())
_RANKS = {encoding: rank for rank, encoding in enumerate(_SINGLE_BYTE)}
_COMMON_HAN = (
    "的一是不了人我在有他這这為为之以來来個个們们到說说國国和地也子時时道得出而要于於就下可你年生自會会後后曰者其此乃"
)
_COMMON_HANGUL = "이다는을가에의고하지를은로도한서기사그나어인아자리시라대해들만"
# What makes up at least this share of the characters beyond ASCII in a text of the language.
_MULTI_BYTE = {
    "cp932": (re.compile("[\u3040-\u30ff]"), 0.2),
    "euc_jp": (re.compile("[\u3040-\u30ff]"), 0.2),
    "cp949": (re.compile(f"[{_COMMON_HANGUL}]"), 0.12),
    "gb18030": (re.compile(f"[{_COMMON_HAN}，。]"), 0.12),
    "cp950": (re.compile(f"[{_COMMON_HAN}，。]"), 0.12),
}
_BEYOND_ASCII = re.compile(rb"[\x80-\xff]")
_BEYOND_ASCII_CHARACTER = re.compile("[^\x00-\x7f]")
# A sign inside a word: what the wrong table makes of an accent.
_SIGN_IN_WORD = re.compile("(?<=[^\\W\\d_])[^\x00-\x7f\\w\\s‘’…–—\u00ad\u00b7](?=[^\\W\\d_])|[\x80-\x9f\ue000-\uf8ff]")
# The letters beyond ASCII of languages that share code pages: a text has those of one of them.
_ALPHABETS = [
    frozenset(letters)
    for letters in (
        "àâæçéèêëîïôœùûüÿ äöüß áéíñóúü àèéìíîòóù áâãàçéêíóôõúü åäöéü æøåéòôü áâäèéëêïíóöôü áðéíóúýþæö "
        "ąćęłńóśźż áčďéěíňóřšťúůýž áäčďéíĺľňóôŕšťúýž áéíóöőúüű čćđšž ăâîșțşţ çğıöşüâîûi̇ ëç àçèéíïòóúü "
        "āčēģīķļņšūž ąčęėįšųūž äõöüšž àèéìíòóùúăâđêôơư"
    ).split()
]
_DENSE_SHARE = 0.3  # of the bytes of a text in Chinese, Japanese or Korean, at least
_SAMPLE_BYTES = 4_000
_LONGEST_LINE = 2_000
_WEIGHT_OF_COHERENCE = 0.5
_WEIGHT_OF_ODDITY = 4.0
_WEIGHT_OF_STRANGE_LETTERS = 2.0
_COST_OF_RANK = 0.002
_LARGEST_COST = 1.0
_FIRST_GREEK = "\u0370"


@dataclass(frozen=True)
class Guess:
    """An encoding and how well its text reads."""

    encoding: str
    cost: float
    """Lower is better; comparable among the guesses of one sample only."""
    confidence: float
    """From 0 to 1: the share of typical characters, or how well the letters fit a language's."""


def guess_encodings(data: bytes) -> list[Guess]:
    """Return the encodings that bytes may be in, the likeliest first, by samples from three places."""
    sample = b"".join(_sample(data))
    is_dense = len(_BEYOND_ASCII.findall(sample)) >= _DENSE_SHARE * len(sample)
    guesses = [guess for encoding in _MULTI_BYTE if is_dense and (guess := _guess_multi_byte(sample, encoding))]
    if not guesses:
        matches = from_bytes(sample, cp_isolation=_SINGLE_BYTE)
        guesses = [
            _weigh(str(match), min(ranks), match.chaos, match.coherence)
            for match in matches
            if (ranks := [_RANKS[encoding] for encoding in match.could_be_from_charset if encoding in _RANKS])
        ]
    return sorted([guess for guess in guesses if guess.cost <= _LARGEST_COST], key=lambda guess: guess.cost)


def _sample(data: bytes) -> Iterator[bytes]:
    """Yield lines that hold more than ASCII, from the start, the middle and the end."""
    for part in range(3):
        at, size = part * len(data) // 3, 0
        at = data.find(b"\n", at, at + _LONGEST_LINE) + 1 if part else at
        while (at or not part) and size < _SAMPLE_BYTES and (found := _BEYOND_ASCII.search(data, at)):
            start = max(data.rfind(b"\n", at, found.start()) + 1, at, found.start() - _LONGEST_LINE)
            end = data.find(b"\n", found.start(), start + _LONGEST_LINE) + 1 or start + _LONGEST_LINE
            yield data[start:end]
            at, size = end, size + end - start


def _guess_multi_byte(sample: bytes, encoding: str) -> Guess | None:
    """Return a guess if the sample is valid in an encoding and reads like its language."""
    typical, least = _MULTI_BYTE[encoding]
    try:
        text = sample.decode(encoding)
    except UnicodeDecodeError:
        return None
    beyond = len(_BEYOND_ASCII_CHARACTER.findall(text))
    share = len(typical.findall(text)) / max(1, beyond)
    return Guess(encoding, -share, share) if share >= least else None


def _weigh(text: str, rank: int, chaos: float, coherence: float) -> Guess:
    """Return the guess for the encoding of a rank, by the disorder of its text and its likeness to a language."""
    beyond = _BEYOND_ASCII_CHARACTER.findall(text)
    odd = (len(_SIGN_IN_WORD.findall(text)) + _breaks_in_words(text)) / max(1, len(beyond))
    encoding = _SINGLE_BYTE[rank]
    strange = _strange_letters(beyond, encoding in _OF_OTHER_SCRIPTS)
    cost = chaos - _WEIGHT_OF_COHERENCE * coherence + _WEIGHT_OF_ODDITY * odd + _WEIGHT_OF_STRANGE_LETTERS * strange
    return Guess(encoding, cost + _COST_OF_RANK * rank, coherence)


def _breaks_in_words(text: str) -> int:
    """Return how often a capital beyond ASCII follows a small letter, or letters of two scripts stand together."""
    return sum(
        (after > "\x7f" and after.isupper() and before.islower())
        or ((before < _FIRST_GREEK) != (after < _FIRST_GREEK) and before.isalpha() and after.isalpha())
        for before, after in pairwise(text)
    )


def _strange_letters(beyond: Sequence[str], is_other_script: bool) -> float:
    """Return the share of letters beyond ASCII that a text hardly has: those not of one language, or all Latin ones."""
    letters = [letter.lower() for letter in beyond if letter.isalpha()]
    latin = [letter for letter in letters if letter < _FIRST_GREEK]
    expected = 0
    if not is_other_script:
        expected = max(sum(letter in alphabet for letter in latin) for alphabet in _ALPHABETS)
    return (len(latin) - expected) / max(1, len(letters))
