"""A queue of dead letters in memory."""

from collections.abc import Mapping, Sequence
from itertools import count

from ingestor.console_ports import StoredLetter
from ingestor.ports import BATCH


class MemoryLetters:
    """A `LetterBox`. What was taken stays out of sight until it is put back.

    `sent` holds the bodies that went back to the service. While `fault` is set every call raises
    it; letters whose ids are in `stubborn` can neither be sent nor removed.
    """

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.fault: Exception | None = None
        self.stubborn: set[str] = set()
        self._letters: dict[str, StoredLetter] = {}
        self._out: set[str] = set()
        self._numbers = count()

    def put(self, body: str, attributes: Mapping[str, str], *, sent_at_ms: int = 0) -> str:
        """Add a letter; returns its id."""
        name = f"letter-{next(self._numbers)}"
        self._letters[name] = StoredLetter(name, f"{name}#", body, sent_at_ms, dict(attributes))
        return name

    def __len__(self) -> int:
        return len(self._letters)

    async def take(self) -> list[StoredLetter]:
        """See LetterBox."""
        self._fail()
        seen = [each for name, each in self._letters.items() if name not in self._out][:BATCH]
        self._out.update(each.message_id for each in seen)
        return seen

    async def put_back(self, letters: Sequence[StoredLetter]) -> set[str]:
        """See LetterBox."""
        self._fail()
        names = {each.message_id for each in letters}
        self._out -= names
        return names

    async def remove(self, letters: Sequence[StoredLetter]) -> set[str]:
        """See LetterBox."""
        self._fail()
        names = {each.message_id for each in letters} - self.stubborn
        self._out -= names
        for name in names:
            self._letters.pop(name, None)
        return names

    async def send(self, letters: Sequence[StoredLetter], bodies: Sequence[str]) -> set[str]:
        """See LetterBox."""
        self._fail()
        pairs = [
            (letter, body)
            for letter, body in zip(letters, bodies, strict=True)
            if letter.message_id not in self.stubborn
        ]
        self.sent += [body for _, body in pairs]
        return {letter.message_id for letter, _ in pairs}

    async def waiting(self) -> int:
        """See LetterBox."""
        self._fail()
        return len(self._letters) - len(self._out)

    def _fail(self) -> None:
        if self.fault is not None:
            raise self.fault
