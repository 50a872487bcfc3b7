"""In which line of a TOML document something stands.

The standard library's parser does not say. The text is known to be valid when this reads it, so
that little has to be understood: keys, headers, and where values end.
"""

import re
import tomllib
from collections.abc import Sequence

Place = tuple[str | int, ...]

_BLANK = re.compile(r"(?:\s|#[^\n]*)*")
_KEY = re.compile(r"""[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*'""")
_DOT = re.compile(r"[ \t]*\.[ \t]*")
_TEXT = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}|'
    r"'''.*?'{3,5}|"
    r""""(?:[^"\\]|\\.)*"|'[^']*'""",
    re.DOTALL,
)
_SCALAR = re.compile(r"[^\s,\]}#]+(?:[ \t]\d\d:[^\s,\]}#]+)?")


class LineIndex:
    """Finds the line of a place such as `("routes", 0, "tags", "site")`."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._found: dict[Place, int] = {}
        self._lengths: dict[Place, int] = {}
        self._read_document()

    def line(self, place: Sequence[str | int]) -> int:
        """The line, from 1, of a place, or of what holds it where it is not there."""
        place = tuple(place)
        while place and place not in self._found:
            place = place[:-1]
        return self._found.get(place, 1)

    def _read_document(self) -> None:
        table: Place = ()
        self._skip(_BLANK)
        while self._at < len(self._text):
            if self._text.startswith("[[", self._at):
                self._at += 2
                *outer, last = self._read_key()
                place = (*self._resolved(outer), last)
                count = self._lengths.get(place, 0)
                self._note(place)
                self._lengths[place] = count + 1
                table = (*place, count)
                self._note(table)
                self._at = self._text.index("]]", self._at) + 2
            elif self._text[self._at] == "[":
                self._at += 1
                table = self._resolved(self._read_key())
                self._note(table)
                self._at = self._text.index("]", self._at) + 1
            else:
                self._read_pair(table)
            self._skip(_BLANK)

    def _resolved(self, key: Sequence[str]) -> Place:
        """A header's key as a place: an array of tables stands for its newest table."""
        place: Place = ()
        for name in key:
            place = (*place, name)
            if place in self._lengths:
                place = (*place, self._lengths[place] - 1)
        return place

    def _read_pair(self, table: Place) -> None:
        place = table
        for name in self._read_key():
            place = (*place, name)
            self._note(place)
        self._at = self._text.index("=", self._at) + 1
        self._read_value(place)

    def _read_key(self) -> list[str]:
        names: list[str] = []
        self._skip(_BLANK)
        while True:
            start = self._at
            self._skip(_KEY)
            name = self._text[start : self._at]
            names.append(tomllib.loads(f"key = {name}")["key"] if name[0] in "\"'" else name)
            if not self._skip(_DOT):
                return names

    def _read_value(self, place: Place) -> None:
        self._skip(_BLANK)
        opening = self._text[self._at]
        if opening in "[{":
            self._at += 1
            number = 0
            while self._has_element():
                if opening == "{":
                    self._read_pair(place)
                else:
                    self._note((*place, number))
                    self._read_value((*place, number))
                    number += 1
        elif not self._skip(_TEXT):
            self._skip(_SCALAR)

    def _has_element(self) -> bool:
        """Go to the next element of an array or inline table; False after its end."""
        self._skip(_BLANK)
        if self._text[self._at] == ",":
            self._at += 1
            self._skip(_BLANK)
        if self._text[self._at] in "]}":
            self._at += 1
            return False
        return True

    def _skip(self, pattern: re.Pattern[str]) -> bool:
        match = pattern.match(self._text, self._at)
        self._at = match.end() if match else self._at
        return match is not None

    def _note(self, place: Place) -> None:
        self._found.setdefault(place, self._text.count("\n", 0, self._at) + 1)
