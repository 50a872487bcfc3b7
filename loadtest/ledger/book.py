"""A ledger: a file with every reading that was sent, and what became of it.

About sixty bytes a reading, so that ten million of them are a file of some hundred megabytes. It
is written before anything is published, hence a generator that was killed can go on with it: what
it may have sent is known.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

_SCHEMA = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE sent (
    row INTEGER PRIMARY KEY, device INTEGER NOT NULL, sequence INTEGER NOT NULL,
    time_ms INTEGER NOT NULL, content BLOB NOT NULL, expected TEXT NOT NULL,
    acknowledged INTEGER NOT NULL DEFAULT 0
);
"""
_PRAGMAS = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = OFF;
PRAGMA cache_size = -32768;
PRAGMA temp_store = FILE;
"""
"""Commits survive the death of the process, which is what may happen here, not of the machine."""


class Entry(NamedTuple):
    """A reading; `expected` is how the reason of its dead letter begins, if it must have one."""

    device: int
    sequence: int
    time_ms: int
    content: bytes
    expected: str = ""


class BookError(Exception):
    """A ledger cannot be used; the text says why."""


class Book:
    """A ledger that is open. `with` closes it.

    Every method ends with a commit: what it was told is not forgotten when the process is killed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self.db = sqlite3.connect(path, isolation_level=None)
            self.db.executescript(_PRAGMAS)
            (self._rows,) = self.db.execute("SELECT coalesce(max(row), 0) FROM sent").fetchone()
        except sqlite3.Error as exc:
            raise BookError(f"{path} is no ledger: {exc}") from exc

    @classmethod
    def create(cls, path: Path, options: Mapping[str, Any]) -> Self:
        """A new one in place of any that is there; `options` are what it takes to go on."""
        path.parent.mkdir(parents=True, exist_ok=True)
        for end in ("", "-wal", "-shm"):
            path.with_name(path.name + end).unlink(missing_ok=True)
        with sqlite3.connect(path) as db:
            db.executescript(_SCHEMA)
        db.close()
        book = cls(path)
        book.tell("options", json.dumps(options, sort_keys=True))
        return book

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self.db.close()

    def tell(self, name: str, value: str) -> None:
        """Keep a fact about the run."""
        self.db.execute("REPLACE INTO meta VALUES (?, ?)", (name, value))

    def asked(self, name: str) -> str | None:
        """A fact about the run, None when it was never told."""
        row = self.db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    @property
    def next_tick(self) -> int:
        """The first tick of the plan whose messages are not in the book."""
        return int(self.asked("next_tick") or 0)

    def enter(
        self, entries: Iterable[Entry], *, acknowledged: bool = False, next_tick: int | None = None
    ) -> range:
        """Enter readings, which may be published from then on; the rows that they got.

        `next_tick` is kept with them: what comes after these. With `acknowledged` they are as good
        as confirmed.
        """
        first = self._rows + 1
        rows = [(first + n, *entry, acknowledged) for n, entry in enumerate(entries)]
        self._rows += len(rows)
        self.db.execute("BEGIN")
        self.db.executemany("INSERT INTO sent VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
        if next_tick is not None:
            self.tell("next_tick", str(next_tick))
        self.db.execute("COMMIT")
        return range(first, self._rows + 1)

    def acknowledge(self, rows: Sequence[int]) -> None:
        """The broker, or the queue, has confirmed the readings of these rows."""
        self.db.execute("BEGIN")
        self.db.executemany(
            "UPDATE sent SET acknowledged = 1 WHERE row = ?", [(row,) for row in rows]
        )
        self.db.execute("COMMIT")

    def all_rows(self, at_once: int) -> Iterator[tuple[int, Entry, bool]]:
        """Every row with its entry and whether it was acknowledged, in order; read bit by bit.

        What is entered or acknowledged meanwhile does no harm.
        """
        query = f"SELECT * FROM sent WHERE row > ? ORDER BY row LIMIT {at_once}"  # noqa: S608 - our own number
        last = 0
        while rows := self.db.execute(query, (last,)).fetchall():
            last = rows[-1][0]
            yield from ((row, Entry(*entry), bool(known)) for row, *entry, known in rows)

    def forget_acknowledgements(self) -> None:
        """Whoever confirmed readings has lost them."""
        self.db.execute("UPDATE sent SET acknowledged = 0")

    def seconds(self) -> Iterable[tuple[int, int]]:
        """How many readings there are of each second that has any, in order."""
        query = "SELECT time_ms / 1000 AS second, count(*) FROM sent GROUP BY second ORDER BY 1"
        yield from self.db.execute(query)

    def count(self, where: str = "1") -> int:
        """How many readings there are, or of them those with a condition."""
        (count,) = self.db.execute(f"SELECT count(*) FROM sent WHERE {where}").fetchone()  # noqa: S608 - our own conditions
        return int(count)
