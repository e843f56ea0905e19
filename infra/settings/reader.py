"""Turns libyaml's events into plain values and keeps where each of them stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, Protocol

import yaml

from infra.settings.characters import ascii_twin, character_name, hidden_character, shown_key
from infra.settings.errors import SettingsError
from infra.settings.scalars import Scalar, ScalarError, resolve_plain

if TYPE_CHECKING:
    from collections.abc import Iterator

DEEPEST = 20
"""Deepest nesting of mappings and lists."""

_SHORT_KEY = 5  # characters; a longer key that starts with a letter is always text

Value = Scalar | list["Value"] | dict[str, "Value"]
"""What a settings file holds before it is checked against a model."""

Path = tuple[str | int, ...]
"""Keys and list positions from the root of a document to one value."""


class Span(NamedTuple):
    """A piece of a file.

    Attributes:
        line: line it starts on, counted from 1.
        start: index of its first character.
        end: index after its last character. Of a block mapping or list only the start is exact.
        flow: whether it is a mapping or list in ``{}`` or ``[]``.
    """

    line: int
    start: int
    end: int
    flow: bool = False


class _Mark(Protocol):
    line: int  # from 0
    index: int  # characters


class _Node(Protocol):
    """What all events that begin a value have."""

    anchor: str | None
    tag: str | None
    start_mark: _Mark
    end_mark: _Mark


class _Scalar(_Node, Protocol):
    value: str
    style: str | None


class _Start(_Node, Protocol):
    flow_style: bool


class _DocumentStart(Protocol):
    start_mark: _Mark
    version: tuple[int, int] | None
    tags: dict[str, str] | None


class Reading(NamedTuple):
    """All of one file: its root value and where each key and value stands, by path."""

    root: dict[str, Value]
    keys: dict[Path, Span]
    values: dict[Path, Span]


def read_events(text: str, source: str) -> Reading:
    """Read checked text, see `infra.settings.document.read_document`.

    Raises:
        SettingsError: a part of YAML that settings files don't use.
        yaml.YAMLError: libyaml can't read it.
    """
    reader = _Reader(source)
    reader.run(yaml.parse(text, Loader=yaml.CSafeLoader))
    return reader.reading()


class _Frame:
    """A mapping or list that is being read."""

    __slots__ = ("flow", "items", "key", "key_mark", "mapping", "path", "start")

    def __init__(self, path: Path, event: _Start, *, mapping: bool) -> None:
        self.path = path
        self.start = event.start_mark
        self.flow = bool(event.flow_style)
        self.mapping: dict[str, Value] | None = {} if mapping else None
        self.items: list[Value] = []
        self.key: str | None = None
        self.key_mark: _Mark | None = None


class _Reader:
    """The state while events come in: a stack of open mappings and lists."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._keys: dict[Path, Span] = {}
        self._values: dict[Path, Span] = {}
        self._stack: list[_Frame] = []
        self._root: Value = None
        self._documents = 0

    def reading(self) -> Reading:
        """Return what was read."""
        if not self._documents or () not in self._values:
            self._refuse(1, "the file is empty", "its keys, see the schema named in its first line")
        if not isinstance(self._root, dict):
            self._refuse(
                self._values[()].line, "the file is not a mapping", "`key: value` lines at its root"
            )
        return Reading(self._root, self._keys, self._values)

    def run(self, events: Iterator[Any]) -> None:
        """Read all events of one file."""
        for event in events:
            kind = type(event)
            if kind is yaml.ScalarEvent:
                self._scalar(event)
            elif kind is yaml.MappingStartEvent:
                self._open(event, mapping=True)
            elif kind is yaml.SequenceStartEvent:
                self._open(event, mapping=False)
            elif kind in (yaml.MappingEndEvent, yaml.SequenceEndEvent):
                self._close(event.end_mark)
            elif kind is yaml.AliasEvent:
                self._refuse(
                    event.start_mark.line + 1, "an alias (`*name`)", "the value itself, once more"
                )
            elif kind is yaml.DocumentStartEvent:
                self._document_start(event)
            elif kind is yaml.DocumentEndEvent and event.explicit:
                self._refuse(event.start_mark.line + 1, "a `...` line", "nothing in its place")

    def _refuse(self, line: int, what: str, write: str) -> NoReturn:
        raise SettingsError(self._source, line, what, write)

    def _document_start(self, event: _DocumentStart) -> None:
        line = event.start_mark.line + 1
        self._documents += 1
        if self._documents > 1:
            self._refuse(
                line, "a second document (`---`) in one file", "one document; use a second file"
            )
        if event.version or event.tags:
            self._refuse(line, "a `%` directive", "nothing in its place")

    def _refuse_properties(self, event: _Node) -> NoReturn:
        line = event.start_mark.line + 1
        if event.anchor is not None:
            self._refuse(line, "an anchor (`&name`)", "the value alone, wherever it is needed")
        self._refuse(line, "a tag (`!name`)", 'the value alone, in "..." when text is meant')

    def _scalar(self, event: _Scalar) -> None:
        if event.anchor is not None or event.tag is not None:
            self._refuse_properties(event)
        frame = self._stack[-1] if self._stack else None
        if frame is not None and frame.mapping is not None and frame.key is None:
            self._key(frame, event)
            return
        value: Value = event.value
        start, end = event.start_mark, event.end_mark
        if not event.style:
            if frame is None and not event.value:
                return  # an empty document; `reading` says so
            try:
                value = resolve_plain(event.value)
            except ScalarError as error:
                # A missing value is reported where its key stands.
                mark = frame.key_mark if frame and not event.value and frame.key_mark else start
                self._refuse(mark.line + 1, error.what, error.write)
        elif event.style == '"' and (found := hidden_character(event.value, decoded=True)):
            self._refuse(start.line + 1, f"an escape for {found[1]}", "text without it")
        self._put(frame, value, Span(start.line + 1, start.index, end.index))

    def _put(self, frame: _Frame | None, value: Value, span: Span) -> None:
        if frame is None:
            self._root = value
            self._values[()] = span
        elif frame.mapping is None:
            self._values[(*frame.path, len(frame.items))] = span
            frame.items.append(value)
        elif frame.key is not None:
            self._values[(*frame.path, frame.key)] = span
            frame.mapping[frame.key] = value
            frame.key = None

    def _key(self, frame: _Frame, event: _Scalar) -> None:
        key, mark = event.value, event.start_mark
        line = mark.line + 1
        if not key:
            self._refuse(line, "an empty key", "a name before the colon")
        if not key.isascii() or not key.isprintable():
            self._refuse_key(key, line)
        if not event.style and (len(key) <= _SHORT_KEY or not key[0].isalpha()):
            self._refuse_odd_key(key, line)
        path = (*frame.path, key)
        if path in self._keys:
            first = self._keys[path].line
            self._refuse(
                line,
                f"key `{shown_key(key)}` stands here and on line {first}",
                "each key once",
            )
        self._keys[path] = Span(line, mark.index, event.end_mark.index)
        frame.key = key
        frame.key_mark = mark

    def _refuse_key(self, key: str, line: int) -> NoReturn:
        odd = next(c for c in key if not c.isascii() or not c.isprintable())
        twin = ascii_twin(odd)
        looks = f" looks like `{twin}` and" if twin else ""
        self._refuse(
            line,
            f"key `{shown_key(key)}`: {character_name(odd)}{looks} is not an ASCII character",
            f"ASCII `{twin}` (U+{ord(twin):04X}) in its place" if twin else "ASCII letters",
        )

    def _refuse_odd_key(self, key: str, line: int) -> None:
        if key == "<<":
            self._refuse(line, "a merge key (`<<`)", "the merged keys themselves")
        try:
            text = isinstance(resolve_plain(key), str)
        except ScalarError:
            text = False
        if not text:
            self._refuse(line, f"key `{shown_key(key)}` is not text", f'"{key}" in quotes')

    def _open(self, event: _Start, *, mapping: bool) -> None:
        if event.anchor is not None or event.tag is not None:
            self._refuse_properties(event)
        line = event.start_mark.line + 1
        path: Path = ()
        if self._stack:
            frame = self._stack[-1]
            if frame.mapping is None:
                path = (*frame.path, len(frame.items))
            elif frame.key is None:
                self._refuse(line, "a key that is a mapping or list", "a name before the colon")
            else:
                path = (*frame.path, frame.key)
        if len(self._stack) >= DEEPEST:
            self._refuse(line, f"nesting deeper than {DEEPEST} levels", "a flatter structure")
        self._stack.append(_Frame(path, event, mapping=mapping))

    def _close(self, end: _Mark) -> None:
        done = self._stack.pop()
        value: Value = done.items if done.mapping is None else done.mapping
        span = Span(done.start.line + 1, done.start.index, end.index, done.flow)
        self._put(self._stack[-1] if self._stack else None, value, span)
