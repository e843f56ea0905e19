"""Characters a settings file may not hold, because a reviewer could not see what they do."""

from __future__ import annotations

import re
import unicodedata

# Fixed ranges instead of Unicode categories: the answer must not depend on the Python in use.
_HIDDEN = re.compile(
    "["
    "\x00-\x08\x0b-\x0c\x0e-\x1f\x7f-\x9f"  # control characters; tab, LF and CR have own rules
    "\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"  # soft hyphen, fillers, marks
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f"  # zero width, separators, bidirectional controls
    "\u3164\ufeff\uffa0\ufff0-\uffff"  # fillers, byte order mark, specials
    "\ud800-\udfff\ue000-\uf8ff"  # surrogates, private use
    "\U0001d173-\U0001d17a\U000e0000-\U0010ffff"  # musical controls, tags, private planes
    "]"
)
_CARRIAGE_RETURN = "\r"

# Left: Cyrillic, Greek, Armenian and Latin letters that read like the ASCII one below them.
_LOOK_ALIKES = str.maketrans(
    "\u0430\u0441\u0501\u0435\u0451\u04bb\u0456\u0457\u0458\u043a\u04cf\u043c\u043f\u043e\u0440"
    "\u051b\u0433\u0455\u0442\u0446\u0475\u051d\u0445\u0443"
    "\u0410\u0412\u0421\u0415\u041d\u0406\u0408\u041a\u041c\u041e\u0420\u0405\u0422\u0425\u0423"
    "\u03b1\u03b2\u03b5\u03b7\u03b9\u03ba\u03bd\u03bf\u03c1\u03c4\u03c5\u03c7\u03c9\u03b3"
    "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7"
    "\u0585\u0578\u057d\u0570\u0581\u0584"
    "\u0131\u0251\u0261\u0269\u2010\u2011\u2012\u2013\u2014\u2212",
    "acdeehiijklmnopqrstuvwxyABCEHIJKMOPSTXYabenikvoptuxwyABEZHIKMNOPTYXonuhgpiagi------",
)


def hidden_character(text: str, *, decoded: bool = False) -> tuple[int, str] | None:
    """Find the first character that is invisible or changes how its surroundings read.

    Args:
        text: text of a file or of one value.
        decoded: the text comes from a value with escapes, where a carriage return counts too.

    Returns:
        Index of the character and its name such as ``U+202E RIGHT-TO-LEFT OVERRIDE``, or None.
    """
    found = _HIDDEN.search(text)
    index = found.start() if found else -1
    if decoded and index < 0:
        index = text.find(_CARRIAGE_RETURN)
    return None if index < 0 else (index, character_name(text[index]))


def character_name(character: str) -> str:
    """Return code point and Unicode name of one character, such as ``U+0430 CYRILLIC ...``."""
    name = unicodedata.name(character, "")
    return f"U+{ord(character):04X}" + (f" {name}" if name else "")


def ascii_twin(character: str) -> str | None:
    """Return the ASCII character that one character looks like, None when there is none."""
    twin = character.translate(_LOOK_ALIKES)
    if not twin.isascii():
        twin = unicodedata.normalize("NFKD", character)[:1]
    return twin if twin.isascii() and twin.isprintable() and twin.strip() else None


def shown_key(key: str) -> str:
    """Return a key as it may stand in a message: ASCII only, short, others as ``<U+XXXX>``."""
    shown = "".join(c if c.isascii() and c.isprintable() else f"<U+{ord(c):04X}>" for c in key)
    return shown if len(shown) <= _SHOWN else shown[:_SHOWN] + "..."


_SHOWN = 80  # characters of a key in a message
