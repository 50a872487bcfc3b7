"""What a comparison comes to, in the few numbers that every report has."""

from dataclasses import dataclass
from typing import Self

from loadtest.ledger.compare import UNEXPECTED, Verdict
from loadtest.ledger.judge import Fate

_NOT_AS_SENT = (Fate.MISSING, Fate.ALTERED, Fate.LATE, Fate.EARLY)


@dataclass(slots=True, frozen=True)
class Counts:
    """The result of a comparison.

    `sent` counts readings that were acknowledged, and those that were not but arrived all the same.
    `stored` of them have the right point, `missing` have neither that nor a dead letter.
    `unexpected` counts what nobody sent: unknown, with wrong values or time, or a second point of
    one reading. `enriched` of the stored ones carry all attributes of their device's record as
    tags, and no others. `dead_lettered` counts messages.
    """

    sent: int
    stored: int
    missing: int
    unexpected: int
    enriched: int
    dead_lettered: int

    @classmethod
    def of(cls, verdict: Verdict) -> Self:
        """Of a run in which everything is to be stored."""
        fates = verdict.fates
        enriched = fates[Fate.STORED] + fates[Fate.STORED_AND_DEAD] + fates[Fate.DOUBLED]
        return cls(
            sent=verdict.sent,
            stored=enriched + fates[Fate.BARE],
            missing=sum(fates[fate] for fate in _NOT_AS_SENT),
            unexpected=sum(fates[fate] for fate in UNEXPECTED),
            enriched=enriched,
            dead_lettered=verdict.letters.total(),
        )

    @property
    def exact(self) -> bool:
        """Whether everything is stored, once, right, enriched, and nothing else is."""
        flawless = not (self.missing or self.unexpected or self.dead_lettered)
        return flawless and self.enriched == self.stored == self.sent
