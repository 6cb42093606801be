"""Text that was decoded in the wrong encoding before it came here: `cafÃ©` for `café`, `itâ€™s` for `it’s`."""

import re

from nextchapter.corpus.removals import Repairs

_IN_WINDOWS_1252 = "€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ"
_IN_WINDOWS_1251 = "ЂЃѓЉЊЌЋЏђљњќћџЎўЈҐЁЄЇІіґё№єјЅѕї°±"
_MISREAD = re.compile(f"[Â-ôвгРС][\x80-\xbf{_IN_WINDOWS_1252}{_IN_WINDOWS_1251}]")
# What UTF-8 looks like in a single-byte encoding: one of these stands in every longer text that was so misread.
# They are looked for one by one, because the search for a first letter is far faster than that for a set of them.
_SIGNS = {
    first: re.compile(f"{first}[\x80-\xbf{_IN_WINDOWS_1252 if first < 'А' else _IN_WINDOWS_1251}]")
    for first in ("Ã", "Â", "â€", "Ð", "Ñ", "Î", "Ï", "Ø", "Ù", "×", "ã€", "ã\x80", "ï¼", "â\x80", "вЂ", "Р")
}
_PIECE = re.compile(r"[^\n]{0,2000}[ \n]|[^\n]{1,2000}")
_CONTROL = re.compile("[\x80\x82-\x84\x86-\x8c\x8e\x91-\x9c\x9e\x9f]")


def repair_mojibake(text: str, repairs: Repairs) -> str:
    """Return text in which stretches decoded in the wrong encoding are put right; all others stay as they are.

    Control characters of Latin-1 become what they are in Windows-1252, for no text means the former.
    """
    if text.isascii():
        return text
    if any(first in text and sign.search(text) for first, sign in _SIGNS.items()):
        text = _PIECE.sub(lambda piece: _repair_piece(piece[0], repairs), text)
    controls = _CONTROL.findall(text)
    if controls:
        repairs.add("control characters that are signs in Windows-1252", len(controls), repr(controls[0]))
        text = _CONTROL.sub(lambda control: control[0].encode("latin-1").decode("cp1252"), text)
    return text


def _repair_piece(piece: str, repairs: Repairs) -> str:
    """Return a piece of a line decoded rightly, if it looks as if it was not."""
    found = _MISREAD.search(piece)
    if found is None:
        return piece
    from ftfy import fix_encoding
    from ftfy.badness import is_bad

    repaired = fix_encoding(piece) if is_bad(piece) else piece
    if repaired != piece:
        places = len(_MISREAD.findall(piece)) - len(_MISREAD.findall(repaired))
        repairs.add("mojibake", max(1, places), piece[max(0, found.start() - 20) : found.end() + 20])
    return repaired
