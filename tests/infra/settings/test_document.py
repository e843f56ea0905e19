from __future__ import annotations

import time
from datetime import date

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from infra.settings.document import DECLARED_LIMIT, REQUEST_LIMIT, read_document
from infra.settings.errors import SettingsError

# Each: name, file, line of the refusal, words of what is wrong, words of what to write.
REFUSED = [
    ("empty", b"", 1, "empty", "keys"),
    ("comment only", b"# nothing\n", 1, "empty", "keys"),
    ("marker only", b"---\n", 1, "empty", "keys"),
    ("text", b"word\n", 1, "not a mapping", "key: value"),
    ("list", b"- a\n", 1, "not a mapping", "key: value"),
    ("yes", b"a: 1\nb: yes\n", 2, "`yes` is a boolean in some", "true, or"),
    ("Off", b"a: Off\n", 1, "`Off`", "false, or"),
    ("True", b"a: True\n", 1, "`True`", "true, or"),
    ("tilde", b"a: ~\n", 1, "`~` is null", "null, or"),
    ("octal", b"a: 017\n", 1, "number in some", "quotes"),
    ("sexagesimal", b"a: 12:30\n", 1, "number in some", "quotes"),
    ("exponent", b"a: 1e3\n", 1, "number in some", "quotes"),
    ("underscore", b"a: 1_000\n", 1, "number in some", "quotes"),
    ("hexadecimal", b"a: 0x1f\n", 1, "number in some", "quotes"),
    ("infinity", b"a: .inf\n", 1, "number in some", "quotes"),
    ("inexact integer", b"a: 9007199254740992\n", 1, "number in some", "quotes"),
    ("endless digits", b"a: " + b"9" * 100_000 + b"\n", 1, "number in some", "quotes"),
    ("no such day", b"a: 2027-02-30\n", 1, "not a day", "2027-02-28"),
    ("missing value", b"a: 1\nb:\nc: 1\n", 2, "missing", "null"),
    ("missing item", b"a:\n  - 1\n  -\n", 3, "missing", "null"),
    ("set in flow", b"a: {b, c}\n", 1, "missing", "null"),
    ("duplicate", b"a: 1\nb: 2\na: 3\n", 3, "`a` stands here and on line 1", "once"),
    ("deep duplicate", b"x:\n  a: 1\n  a: 3\n", 3, "`a` stands here and on line 2", "once"),
    ("quoted duplicate", b'a: 1\n"a": 3\n', 2, "`a` stands here and on line 1", "once"),
    ("anchor", b"a: 1\nb: &x 1\n", 2, "anchor", "value alone"),
    ("anchor on a mapping", b"a: &x\n  b: 1\n", 1, "anchor", "value alone"),
    ("anchor on a key", b"&x a: 1\n", 1, "anchor", "value alone"),
    ("alias", b"a: *x\n", 1, "alias", "once more"),
    ("tag", b"a: !!str 1\n", 1, "tag", "value alone"),
    ("own tag", b"a: !thing {b: 1}\n", 1, "tag", "value alone"),
    ("bare tag", b"a: ! 1\n", 1, "tag", "value alone"),
    ("merge key", b"a:\n  <<: {b: 1}\n", 2, "merge key", "merged keys"),
    ("number as key", b"1: a\n", 1, "key `1` is not text", '"1"'),
    ("boolean as key", b"on: a\n", 1, "key `on` is not text", '"on"'),
    ("null as key", b"null: a\n", 1, "key `null` is not text", '"null"'),
    ("empty key", b'"": a\n', 1, "empty key", "name"),
    ("mapping as key", b"a: 1\n? {b: 1}\n: 2\n", 2, "mapping or list", "name"),
    ("list as key", b"? [b]\n: 2\n", 1, "mapping or list", "name"),
    ("tab", b"a: 1\nb:\t2\n", 2, "tab", "spaces"),
    ("tab in a comment", b"a: 1 #\t2\n", 1, "tab", "spaces"),
    ("CRLF", b"a: 1\r\nb: 2\r\n", 1, "carriage return", "LF"),
    ("two documents", b"a: 1\n---\nb: 2\n", 2, "second document", "one document"),
    ("end marker", b"a: 1\n...\n", 2, "`...`", "nothing"),
    ("directive", b"%YAML 1.2\n---\na: 1\n", 1, "directive", "nothing"),
    ("byte order mark", b"\xef\xbb\xbfa: 1\n", 1, "byte order mark", "without BOM"),
    ("UTF-16", "a: 1\n".encode("utf-16"), 1, "0xff is not UTF-8", "UTF-8"),
    ("Latin-1", b"a: 1\nb: caf\xe9\n", 2, "0xe9 is not UTF-8", "UTF-8"),
    ("control", b"a: 1\nb: \x07\n", 2, "U+0007", "without"),
    ("NUL", b"a: \x00\n", 1, "U+0000", "without"),
    ("bidirectional", "a: x\u202ey\n".encode(), 1, "U+202E RIGHT-TO-LEFT OVERRIDE", "without"),
    ("zero width", "a: 1\nb: x\u200by\n".encode(), 2, "U+200B ZERO WIDTH SPACE", "without"),
    ("hidden in a comment", "a: 1 # \u2066\n".encode(), 1, "U+2066", "without"),
    ("line separator", "a: x\u2028b: y\n".encode(), 1, "U+2028 LINE SEPARATOR", "without"),
    ("next line", "a: x\u0085b: y\n".encode(), 1, "U+0085", "without"),
    ("escaped bidirectional", b'a: 1\nb: "\\u202e"\n', 2, "escape for U+202E", "without"),
    ("escaped ESC", b'a: "\\x1b[31m"\n', 1, "escape for U+001B", "without"),
    ("escaped CR", b'a: "\\r"\n', 1, "escape for U+000D", "without"),
    ("Cyrillic", "a: 1\nops_m\u043e: 1\n".encode(), 2, "U+043E CYRILLIC SMALL LETTER O", "`o`"),
    ("Greek", "\u0391: 1\n".encode(), 1, "U+0391 GREEK CAPITAL LETTER ALPHA", "`A` (U+0041)"),
    ("full width", "\uff41: 1\n".encode(), 1, "U+FF41", "`a` (U+0061)"),
    ("accent", "caf\u00e9: 1\n".encode(), 1, "U+00E9", "`e` (U+0065)"),
    ("dash", "a\u2013b: 1\n".encode(), 1, "U+2013 EN DASH", "`-` (U+002D)"),
    ("no twin", "\u65e5: 1\n".encode(), 1, "U+65E5", "ASCII letters"),
    ("escaped look-alike", b'"ops_m\\u043e": 1\n', 1, "U+043E", "`o`"),
    ("deep", b"a: " + b"[" * 25 + b"\n", 1, "deeper than 20", "flatter"),
    ("open quote", b"a: 1\nb: 'x\nc: 1\n", 2, "not valid YAML", "key: value"),
    ("open bracket", b"a: 1\nb: [1, 2\n", 2, "not valid YAML", "key: value"),
    ("colon in text", b"a: b: c\n", 1, "not valid YAML", '"..."'),
    ("bad indentation", b"a:\n  b: 1\n c: 2\n", 3, "not valid YAML", "key: value"),
]


@pytest.mark.parametrize(
    ("data", "line", "what", "write"), [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED]
)
def test_refusal_names_file_line_fact_and_remedy(
    data: bytes, line: int, what: str, write: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        read_document(data, "some/flags.yaml")
    error = caught.value
    assert (error.source, error.line) == ("some/flags.yaml", line)
    assert what in error.what
    assert write in error.write
    assert str(error) == f"some/flags.yaml:{line}: {error.what}\n  write: {error.write}"


def test_size_limit_is_exact_and_named() -> None:
    filler = b"a: 1 #"
    fits = filler + b"x" * (REQUEST_LIMIT - len(filler))
    assert read_document(fits, "f").data == {"a": 1}
    with pytest.raises(SettingsError, match="1048577 bytes, the limit is 1048576"):
        read_document(fits + b"x", "f")
    assert read_document(fits + b"x", "f", limit=DECLARED_LIMIT).data == {"a": 1}


def test_nesting_limit_is_exact() -> None:
    assert read_document(b"a: " + b"[" * 19 + b"1" + b"]" * 19, "f").data
    with pytest.raises(SettingsError, match="deeper than 20"):
        read_document(b"a: " + b"[" * 20 + b"1" + b"]" * 20, "f")


def test_values_are_plain_python() -> None:
    data = b"""---
# comment
text: Error rate 7 % since 14:02, incident INC-88
quoted: "yes"
single: '017'
flag: true
other: false
nothing: null
number: -12
zero: 0
share: 0.25
day: 2027-02-01
moment: 2026-11-23T18:00:00Z
version: 1.2.3
commit: 0a1b2c3
items: [1, two, {three: 3}]
block: |
  first
  second
mapping:
  - a: 1
    b: 2
empty: ""
"""
    assert read_document(data, "f").data == {
        "text": "Error rate 7 % since 14:02, incident INC-88",
        "quoted": "yes",
        "single": "017",
        "flag": True,
        "other": False,
        "nothing": None,
        "number": -12,
        "zero": 0,
        "share": 0.25,
        "day": date(2027, 2, 1),
        "moment": "2026-11-23T18:00:00Z",
        "version": "1.2.3",
        "commit": "0a1b2c3",
        "items": [1, "two", {"three": 3}],
        "block": "first\nsecond\n",
        "mapping": [{"a": 1, "b": 2}],
        "empty": "",
    }


def test_spans_point_to_keys_and_values() -> None:
    text = "# \u00e9\nflags:\n  one: {enabled: true}\n  two:\n    - a\n    - 'b c'\n"
    document = read_document(text.encode(), "f")
    keys, values = document.keys, document.values

    def cut(path: tuple[str | int, ...]) -> str:
        return text[values[path].start : values[path].end]

    assert text[keys["flags", "two"].start : keys["flags", "two"].end] == "two"
    assert cut(("flags", "one")) == "{enabled: true}"
    assert cut(("flags", "one", "enabled")) == "true"
    assert cut(("flags", "two", 1)) == "'b c'"
    assert values["flags", "one"].flow
    assert not values["flags", "two"].flow
    assert document.line(("flags", "two")) == 4
    assert document.line(("flags", "two", 1)) == 6
    assert document.line(("flags", "two", 9)) == 4
    assert document.line(("none",)) == 2


def test_message_never_holds_the_value() -> None:
    for text in ("a: &x canary-7f3\n", "a: !t canary-7f3\n", "a: canary-7f3: b\n"):
        with pytest.raises(SettingsError) as caught:
            read_document(text.encode(), "f")
        assert "canary" not in str(caught.value)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    line, root = 0, None
    try:
        root = read_document(data, "f").data
    except SettingsError as error:
        line = error.line
    assert isinstance(root, dict) or 1 <= line <= data.count(b"\n") + 1


@given(st.text(alphabet="ab:-?{}[],#&*!|>'\"%@ \n\u00e9<~01.", max_size=60))
def test_what_is_accepted_means_the_same_to_pyyaml(text: str) -> None:
    try:
        ours = read_document(text.encode(), "f").data
    except SettingsError:
        return
    assert yaml.load(text, Loader=yaml.CSafeLoader) == ours


@pytest.mark.parametrize(
    "unit", [b"[],", b'"x",', b"'y' ,", b"{a: 1},", b"word,"], ids=lambda unit: unit.decode()
)
def test_work_grows_linearly_with_size(unit: bytes) -> None:
    """Compares two sizes in one run: a quadratic reader would need 100 times, not 10 times."""

    def seconds(count: int) -> float:
        data = b"a: [" + unit * count + b"]"
        best = float("inf")
        for _ in range(3):
            start = time.process_time()
            read_document(data, "f", limit=DECLARED_LIMIT)
            best = min(best, time.process_time() - start)
        return best

    assert seconds(50_000) < 40 * seconds(5_000)
