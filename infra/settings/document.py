"""A strict reader for settings files: a small part of YAML, every refusal with its line.

It is built on the event stream of libyaml (through PyYAML), so its work is linear in the file's
size and the line of every key and value stays known, for errors and for exact edits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import yaml

from infra.settings.characters import hidden_character
from infra.settings.errors import SettingsError
from infra.settings.reader import Path, Span, Value, read_events

if TYPE_CHECKING:
    from collections.abc import Mapping

REQUEST_LIMIT = 1_048_576
"""Largest action request in bytes: 1 MiB."""

DECLARED_LIMIT = 8 * 1_048_576
"""Largest file of declared state in bytes: 8 MiB, about 45,000 flags."""


@dataclass(frozen=True, slots=True)
class Document:
    """One settings file, read.

    Attributes:
        source: its path, for errors.
        text: its content.
        data: its root mapping in plain Python values.
        keys: where each key stands, by the path of its value.
        values: where each value stands, by path; the root has the path ``()``.
    """

    source: str
    text: str
    data: dict[str, Value]
    keys: Mapping[Path, Span]
    values: Mapping[Path, Span]

    def line(self, path: Path) -> int:
        """Return the line of a key or list item; of its nearest parent when it is not there."""
        for length in range(len(path), 0, -1):
            span = self.keys.get(path[:length]) or self.values.get(path[:length])
            if span is not None:
                return span.line
        return self.values[()].line


def read_document(data: bytes, source: str, *, limit: int = REQUEST_LIMIT) -> Document:
    """Read a settings file.

    Args:
        data: the file's bytes.
        source: its path, for errors.
        limit: largest size in bytes.

    Raises:
        SettingsError: the file is too large, empty, not UTF-8, not YAML, or uses a part of YAML
            or a character that settings files don't use.
    """
    text = _text(data, source, limit)
    try:
        reading = read_events(text, source)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        if mark and mark.index >= len(text) and error.context_mark:
            mark = error.context_mark  # what was never closed is nearer than the end of the file
        raise SettingsError(
            source,
            mark.line + 1 if mark else 1,
            f"not valid YAML: {error.problem or error.context}",
            'one `key: value` on a line; put text with `: `, ` #`, quotes or brackets in "..."',
        ) from None
    except yaml.reader.ReaderError as error:
        raise SettingsError(
            source,
            _line_at(text, error.position),
            f"not valid YAML: {error.reason}",
            "the text without that character",
        ) from None
    return Document(source, text, reading.root, reading.keys, reading.values)


def _line_at(text: str, index: int) -> int:
    return text.count("\n", 0, index) + 1


def _text(data: bytes, source: str, limit: int) -> str:
    if len(data) > limit:
        raise SettingsError(
            source,
            1,
            f"the file has {len(data)} bytes, the limit is {limit}",
            "less: move old entries out, they stay in git's history",
        )
    if data.startswith(b"\xef\xbb\xbf"):
        raise SettingsError(
            source, 1, "the file starts with a byte order mark", "the file as UTF-8 without BOM"
        )
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise SettingsError(
            source, line, f"byte {data[error.start]:#04x} is not UTF-8", "the file as UTF-8"
        ) from None
    _refuse_characters(text, source)
    return text


def _refuse_characters(text: str, source: str) -> None:
    if (index := text.find("\t")) >= 0:
        raise SettingsError(source, _line_at(text, index), "a tab character", "spaces")
    if (index := text.find("\r")) >= 0:
        raise SettingsError(
            source,
            _line_at(text, index),
            "a carriage return at the end of a line",
            "lines that end in LF alone (git config core.autocrlf input)",
        )
    if (hidden := hidden_character(text)) is not None:
        index, name = hidden
        raise SettingsError(
            source,
            _line_at(text, index),
            f"{name} can't be seen or changes how the line reads",
            "the text without that character",
        )
