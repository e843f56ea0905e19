"""The one way a settings file is refused: where, what is wrong, and what to write instead."""

from __future__ import annotations


class SettingsError(Exception):
    """A file of declared state or an action request says something it may not say.

    Messages name keys, rules and characters, never a whole value: a value may be a secret that
    somebody pasted into the wrong place.

    Attributes:
        source: path of the file from the repository's root.
        line: line the error is on, counted from 1.
        what: what is wrong, one sentence without a full stop.
        write: what to write instead.
        others: further errors of the same file, by line.
    """

    source: str
    line: int
    what: str
    write: str
    others: tuple[SettingsError, ...]

    def __init__(
        self,
        source: str,
        line: int,
        what: str,
        write: str,
        others: tuple[SettingsError, ...] = (),
    ) -> None:
        super().__init__(source, line, what, write)
        self.source = source
        self.line = line
        self.what = what
        self.write = write
        self.others = others

    def __str__(self) -> str:
        """Give the place and the fact on one line, the remedy on the next."""
        return f"{self.source}:{self.line}: {self.what}\n  write: {self.write}"
