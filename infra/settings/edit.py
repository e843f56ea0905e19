"""Exact edits of a `flags.yaml`: the asked bytes change, comments and order stay as they are."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from infra.settings.document import DECLARED_LIMIT, Document, read_document
from infra.settings.errors import SettingsError
from infra.settings.flags import Flag, flags_of
from infra.settings.scalars import Scalar, render_scalar
from infra.settings.validation import known_names

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from infra.settings.reader import Path, Span, Value

_SOURCE = "flags.yaml"
_BLOCK_HEADER = re.compile(r"[|>][-+0-9]*( +#[^\n]*)?(?=\n|$)")
_STEP = 2  # columns by which one level is indented when the file gives no example


def set_flag(  # noqa: PLR0913  one keyword for each field that may be set
    data: bytes,
    name: str,
    *,
    enabled: bool | None = None,
    reason: str | None = None,
    ticket: str | None = None,
    value: str | None = None,
    expires: date | None = None,
    source: str = _SOURCE,
) -> bytes:
    """Change fields of a declared flag; a field that is not named stays.

    Args:
        data: the file before.
        name: the flag.
        enabled: new state.
        reason: new reason.
        ticket: new ticket.
        value: new text served with the flag.
        expires: new last day.
        source: path of the file, for errors.

    Returns:
        The file after; the same bytes when every field has its value already.

    Raises:
        SettingsError: the file is wrong, holds no such flag, or would be wrong afterwards.
    """
    wanted: dict[str, Scalar] = {
        "enabled": enabled,
        "expires": expires,
        "reason": reason,
        "ticket": ticket,
        "value": value,
    }
    document = _read(data, source)
    before = _flag_data(document, name)
    changed = {
        key: new for key, new in wanted.items() if new is not None and before.get(key) != new
    }
    text = document.text
    # From the last position to the first, so that positions found before stay true.
    known = sorted(
        (key for key in changed if key in before),
        key=lambda key: document.values["flags", name, key].start,
        reverse=True,
    )
    added = [key for key in changed if key not in before]
    if added:
        text = _insert_fields(document, name, {key: changed[key] for key in added})
    for key in known:
        text = _replace(document, text, ("flags", name, key), changed[key])
    flags = {**_flags(document), name: {**before, **changed}}
    return _checked(text, {"flags": flags}, document)


def add_flag(data: bytes, name: str, flag: Flag, *, source: str = _SOURCE) -> bytes:
    """Declare a flag, after all others.

    Args:
        data: the file before.
        name: the new flag.
        flag: what it shall be; fields that are None are left out.
        source: path of the file, for errors.

    Raises:
        SettingsError: the file is wrong, holds the flag already or would be wrong afterwards.
    """
    document = _read(data, source)
    flags = _flags(document)
    if name in flags:
        line = document.line(("flags", name))
        raise SettingsError(
            source, line, f"flag `{name}` is declared already", f"coh flag set {name}"
        )
    fields: dict[str, Value] = {
        key: item for key, item in flag.model_dump(mode="python").items() if item is not None
    }
    fields["type"] = flag.type.value
    outer, inner = _columns(document)
    lines = [f"{' ' * outer}{name}:"]
    lines += [f"{' ' * inner}{key}: {_render(item, flow=False)}" for key, item in fields.items()]
    block = "\n".join(lines) + "\n"
    if flags:
        _refuse_flow(document)
        text = _insert_lines(document.text, _end(document, ("flags",)), block)
    else:
        span = document.values[("flags",)]
        head = document.text[: span.start].rstrip(" ") + document.text[span.end :]
        text = _insert_lines(head, document.keys[("flags",)].end, block)
    return _checked(text, {"flags": {**flags, name: fields}}, document)


def remove_flag(data: bytes, name: str, *, source: str = _SOURCE) -> bytes:
    """Take a flag out: its own lines, nothing else. A comment above them stays.

    Args:
        data: the file before.
        name: the flag.
        source: path of the file, for errors.

    Raises:
        SettingsError: the file is wrong, holds no such flag or would be wrong afterwards.
    """
    document = _read(data, source)
    _flag_data(document, name)
    _refuse_flow(document)
    text = document.text
    start = _line_start(text, document.keys["flags", name].start)
    text = text[:start] + text[_next_line(text, _end(document, ("flags", name))) :]
    flags = {key: item for key, item in _flags(document).items() if key != name}
    if not flags:
        colon = text.index(":", document.keys[("flags",)].end) + 1
        text = f"{text[:colon]} {{}}{text[colon:]}"
    return _checked(text, {"flags": flags}, document)


def _read(data: bytes, source: str) -> Document:
    document = read_document(data, source, limit=DECLARED_LIMIT)
    flags_of(document)
    return document


def _flags(document: Document) -> dict[str, Value]:
    flags = document.data["flags"]
    if not isinstance(flags, dict):
        raise TypeError("flags_of accepted flags that are not a mapping")
    return flags


def _flag_data(document: Document, name: str) -> dict[str, Value]:
    flags = _flags(document)
    flag = flags.get(name)
    if not isinstance(flag, dict):
        raise SettingsError(
            document.source,
            document.line(("flags",)),
            f"there is no flag `{name[:100]}`",
            known_names(name, sorted(flags)),
        )
    return flag


def _checked(text: str, expected: dict[str, Value], before: Document) -> bytes:
    """Read the result again: it must say exactly what was meant, and be a valid file."""
    data = text.encode("utf-8")
    after = read_document(data, before.source, limit=DECLARED_LIMIT)
    flags_of(after)
    # repr tells True from 1 and one order of keys from another, which == does not.
    if repr(after.data) != repr(expected):
        raise SettingsError(
            before.source,
            before.line(("flags",)),
            "this edit can't be made here without changing something else",
            "the change by hand, or each flag as a block of `key: value` lines first",
        )
    return data


def _render(value: Value, *, flow: bool) -> str:
    if isinstance(value, list | dict):
        raise TypeError("a field of a flag is one value")
    return render_scalar(value, flow=flow)


def _replace(document: Document, text: str, path: Path, value: Scalar) -> str:
    span = document.values[path]
    rendered = render_scalar(value, flow=_inside_flow(document, path))
    header = _BLOCK_HEADER.match(document.text, span.start, span.end)
    end = span.end
    if header is not None:
        # A block scalar reaches to the next key: keep its comment and the blank lines after it.
        rendered += header.group(1) or ""
        end = span.start + len(document.text[span.start : span.end].rstrip(" \n"))
    return text[: span.start] + rendered + text[end:]


def _insert_fields(document: Document, name: str, fields: Mapping[str, Scalar]) -> str:
    path = ("flags", name)
    end = _end(document, path)
    if document.values[path].flow:
        end = document.values[(*path, _children(document, path)[-1])].end
        pairs = "".join(f", {key}: {render_scalar(v, flow=True)}" for key, v in fields.items())
        return document.text[:end] + pairs + document.text[end:]
    column = _column(document.text, document.keys["flags", name, "enabled"])
    lines = "".join(
        f"{' ' * column}{key}: {render_scalar(value)}\n" for key, value in fields.items()
    )
    return _insert_lines(document.text, end, lines)


def _insert_lines(text: str, after: int, lines: str) -> str:
    """Put whole lines below the line that holds the character before an index."""
    position = _next_line(text, after)
    gap = "" if position == 0 or text[position - 1] == "\n" else "\n"
    return text[:position] + gap + lines + text[position:]


def _end(document: Document, path: Path) -> int:
    """Return the index after the last character of a value, without comments behind it."""
    span = document.values[path]
    children = _children(document, path)
    if span.flow or not children:
        return span.end
    return _end(document, (*path, children[-1]))


def _children(document: Document, path: Path) -> list[str]:
    value: Value = document.data
    for key in path:
        if not isinstance(value, dict) or not isinstance(key, str):
            return []
        value = value[key]
    return list(value) if isinstance(value, dict) else []


def _inside_flow(document: Document, path: Path) -> bool:
    return any(document.values[path[:length]].flow for length in range(len(path)))


def _refuse_flow(document: Document) -> None:
    span = document.values[("flags",)]
    if span.flow or document.values[()].flow:
        raise SettingsError(
            document.source,
            span.line,
            "the flags stand in `{}`",
            "each flag as a block of `key: value` lines first",
        )


def _columns(document: Document) -> tuple[int, int]:
    """Return the columns of flag names and of their fields, as the first flag has them."""
    first = next(iter(_flags(document)), None)
    if first is None:
        outer = _column(document.text, document.keys[("flags",)]) + _STEP
        return outer, outer + _STEP
    outer = _column(document.text, document.keys["flags", first])
    if document.values["flags", first].flow:
        return outer, outer + _STEP
    return outer, _column(document.text, document.keys["flags", first, "enabled"])


def _column(text: str, span: Span) -> int:
    return span.start - _line_start(text, span.start)


def _line_start(text: str, index: int) -> int:
    return text.rfind("\n", 0, index) + 1


def _next_line(text: str, index: int) -> int:
    """Return where the line after the character before an index starts."""
    if index and text[index - 1] == "\n":
        return index
    newline = text.find("\n", index)
    return len(text) if newline < 0 else newline + 1
