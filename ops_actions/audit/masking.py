"""Masking: secrets and personal data are replaced before a detail is written down.

This is the last net, not the first: callers leave secrets out. It errs on the side of masking, and
what it can't store as canonical JSON (RFC 8785) it turns into text, because evidence must not be
lost over a form.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ops_actions.canonical import Json

MASK = "[masked]"
"""What stands where a secret or personal datum was."""

# Compared with a key's words in lower case, joined by "_": `apiKey`, `api-key`, `API_KEY` are one.
_SECRET_KEY = re.compile(
    r"""
    (?:^|_)
    (?: tokens? | secrets? | passw(?:or)?ds? | passphrases? | pwd | authorization | cookies?
      | credentials? | jwt | bearer | dsn | signature | otp | pin | cvv
      | connection_string | database_url | webhook_url
      | (?:api|access|private|secret|signing|encryption|master|client|deploy)_keys?
      | (?:service_role|anon)_keys?
      | e_?mails? | phones? | phone_numbers? | mobile | msisdn | iban | card_number | ssn
      | (?:first|last|given|family|full|middle|nick|sur)_?name
      | birth_?(?:date|day) | date_of_birth | dob
      | street | postcode | zip_code | (?:postal|home|street|ip)_address(?:es)? | ip )
    (?: $ | _(?:value|hash|plain|raw|text|old|new|before|after)$ )
    """,
    re.VERBOSE,
)
_WORD_BREAK = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[^A-Za-z0-9]+")

_SHAPES = re.compile(
    r"""
    # A private key in PEM form, also when its end was cut off.
      -----BEGIN[ ][A-Z ]*PRIVATE[ ]KEY----- [\s\S]*?
      (?: -----END[ ][A-Z ]*PRIVATE[ ]KEY----- | \Z )

    # A JSON web token: three base64url parts, the first of which starts with `{"`.
    | eyJ[\w-]{5,} \. [\w-]{5,} \. [\w-]*

    # Tokens whose makers gave them a prefix.
    | (?<![A-Za-z0-9])
      (?: gh[oprsu]_[A-Za-z0-9]{16,} | github_pat_\w{20,} | xox[a-z]-[\w-]{10,} | xapp-[\w-]{10,}
        | gl(?:sa|c|pat)[_-][\w=-]{16,} | [spr]k_(?:live|test)_\w{8,} | whsec_[\w+/=]{8,}
        | sb[ps]_\w{16,} | sb_(?:secret|publishable)_[\w-]{8,} | pul-[0-9a-f]{32,} | npm_\w{20,}
        | (?:AKIA|ASIA)[A-Z0-9]{16} | AIza[\w-]{30,} | SG\.[\w-]{16,}\.[\w-]{16,}
        | ser\.[A-Za-z0-9]{16,} | vc[kpt]_\w{16,} )
    | https://hooks\.slack\.com/[^\s"'<>]+

    # A header, an assignment or an address that carries a credential.
    | (?i: \b (?:bearer|basic|token|api-key) [ ]+ [\w+/=.~-]{12,} )
    | (?i: (?<![A-Za-z])
        (?: passw(?:or)?d | pwd | secret | token | (?:api|access)[_-]?key | authorization )
        ["']? [ ]* [:=] [ ]* ["']? (?: (?:bearer|basic|token) [ ]+ )?
        (?!\[masked\]) [^\s"',;&}]+ )
    | (?<=://) [^\s/@:]* : [^\s/@]+ (?=@)

    # Electronic mail, telephone numbers in international form, payment cards.
    | [\w.%+'-]{1,64} @ [\w-]+ (?: \.[\w-]+ )+
    | (?<![0-9A-Za-z+]) (?: \+ | 00 ) [1-9] (?: [ ().-]{0,2} [0-9] ){7,14} (?![0-9A-Za-z])
    | (?P<digits> (?<![0-9A-Za-z.-]) [0-9] (?: [ -]? [0-9] ){12,} (?![0-9A-Za-z]) )
    """,
    re.VERBOSE,
)

# No shape does without one of these, so most words are cleared by this much cheaper look.
_HINT = re.compile(r"[0-9@+=:_.-]|A[IKS]|(?i:bearer|basic|token|key) ")

_CARD_LENGTHS = range(13, 20)
_SAFE_INTEGER = 2**53 - 1
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def mask(value: Json) -> Json:
    """Return a JSON value with secrets and personal data replaced by ``[masked]``.

    Values under secret-like keys are replaced whole (None and booleans stay: they tell nothing);
    in texts, keys included, only what has the shape of a secret or personal datum is replaced.
    Numbers that JSON can't carry exactly become text; NUL and lone surrogates, which Postgres or
    UTF-8 refuse, become U+FFFD. Masking twice gives the same as masking once.
    """
    match value:
        case None | bool():
            return value
        case str():
            return mask_text(value)
        case int() | float():
            return _mask_number(value)
        case dict() | Mapping():  # the first, exact look is the faster one
            return _mask_mapping(value)
        case Sequence():
            return [mask(each) for each in value]


def mask_text(text: str) -> str:
    """Return a text in which everything with the shape of a secret is ``[masked]``."""
    if _UNSTORABLE.search(text):
        text = _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", text)
    if not _HINT.search(text):
        return text
    masked = _SHAPES.sub(_replacement, text)
    if masked != text and _SHAPES.sub(_replacement, masked) != masked:
        return MASK  # what was left of two neighbours has a shape of its own
    return masked


def _mask_number(value: float) -> Json:
    """Mask a card number that was stored as a number; keep others, as text if need be."""
    text = str(value)
    if mask_text(text) != text:
        return MASK
    whole = isinstance(value, int) or (math.isfinite(value) and value.is_integer())
    exact = abs(value) <= _SAFE_INTEGER if whole else math.isfinite(value)
    return value if exact else text


def _replacement(match: re.Match[str]) -> str:
    """Give the mask, or the digits back where no card number is among them."""
    digits = match["digits"]
    return match[0] if digits is not None and not _holds_card(digits) else MASK


def _holds_card(digits: str) -> bool:
    """Tell whether neighbouring groups of digits, joined, are a payment card's number."""
    groups = re.split("[ -]", digits)
    for start in range(len(groups)):
        number = ""
        for group in groups[start:]:
            number += group
            if len(number) > _CARD_LENGTHS.stop:
                break
            if len(number) in _CARD_LENGTHS and number[0] in "23456" and _passes_luhn(number):
                return True
    return False


def _passes_luhn(number: str) -> bool:
    """Tell whether a number carries the check digit of a payment card (ISO/IEC 7812-1, annex B)."""
    digits = [int(digit) for digit in reversed(number)]
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[1::2])
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0


@lru_cache(maxsize=4096)
def _read_key(key: str) -> tuple[str, bool]:
    """Return a key, masked, and whether its words name something secret or personal."""
    words = _WORD_BREAK.sub("_", key).lower()
    return mask_text(key), _SECRET_KEY.search(words) is not None


def _mask_mapping(value: Mapping[str, Json]) -> dict[str, Json]:
    """Mask keys and values; keys that become equal are told apart by a number."""
    masked: dict[str, Json] = {}
    for key, inner in value.items():
        safe_key, is_secret = _read_key(key)
        unique, number = safe_key, 1
        while unique in masked or (unique != key and unique in value):
            number += 1
            unique = f"{safe_key} {number}"
        if is_secret and inner is not None and not isinstance(inner, bool):
            masked[unique] = MASK
        else:
            masked[unique] = mask(inner)
    return masked
