"""Text that was decoded in the wrong encoding before it came here: `cafÃ©` for `café`, `itâ€™s` for `it’s`."""

import re

from nextchapter.corpus.removals import Repairs

# What UTF-8 looks like in a single-byte encoding: one of these always stands in a text that was so misread.
_SIGNS = ("Ã", "Â", "â€", "Ð", "Ñ", "Î", "Ï", "Ø", "Ù", "×", "ã€", "ï¼", "вЂ", "Р°", "\x81", "\x80")
_IN_WINDOWS_1252 = "€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ"
_IN_WINDOWS_1251 = "ЂЃѓЉЊЌЋЏђљњќћџЎўЈҐЁЄЇІіґё№єјЅѕї°±"
_MISREAD = re.compile(f"[Â-ôвгРС][\x80-\xbf{_IN_WINDOWS_1252}{_IN_WINDOWS_1251}]")
_PIECE = re.compile(r"[^\n]{0,2000}[ \n]|[^\n]{1,2000}")
_CONTROL = re.compile("[\x80\x82-\x84\x86-\x8c\x8e\x91-\x9c\x9e\x9f]")


def repair_mojibake(text: str, repairs: Repairs) -> str:
    """Return text in which stretches decoded in the wrong encoding are put right; all others stay as they are.

    Control characters of Latin-1 become what they are in Windows-1252, for no text means the former.
    """
    if text.isascii():
        return text
    if any(sign in text for sign in _SIGNS) and _MISREAD.search(text):
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
