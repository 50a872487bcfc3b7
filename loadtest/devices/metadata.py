"""Metadata records that are generated: makers, families, dates of calibration."""

from datetime import date, timedelta

from loadtest.devices.draws import Draws
from loadtest.records import KEY_ATTRIBUTE, Record

_MAKERS = {
    "Acme Devices Ltd.": ("sensors", "transmitters", "gauges"),
    "Brenner & Söhne, Messtechnik": ("Typ=K 4/20", "Typ=K 4/40"),
    "Kaisei 計測": ("mini", "maxi"),
    "Northwind Fluidics": ("river", "tide", "delta"),
}
"""Invented, with characters that line protocol must escape."""
_SITES = ("Hall 1", "Hall 2", "yard", "pier=3", "roof, east")
_FIRST_DAY = date(2019, 1, 1)
_DAYS = 2_500
_ACCURACIES = ("0.1", "0.25", "0.5", "1")


def make_records(count: int, *, seed: int) -> list[Record]:
    """So many records; the same number and seed give the same record."""
    return [_record(number, Draws("record", seed, number)) for number in range(count)]


def _record(number: int, draws: Draws) -> Record:
    maker = draws.choose(tuple(_MAKERS))
    texts = {
        KEY_ATTRIBUTE: f"{100_000_000 + number}",
        "manufacturer": maker,
        "family": draws.choose(_MAKERS[maker]),
        "component_id": f"c-{draws.bits() >> 32:08x}",
        "calibration_date": (_FIRST_DAY + timedelta(days=draws.below(_DAYS))).isoformat(),
        "site": draws.choose(_SITES),
    }
    accuracy = draws.choose(_ACCURACIES)
    item = {name: {"S": text} for name, text in texts.items()} | {"accuracy": {"N": accuracy}}
    return Record(texts[KEY_ATTRIBUTE], item, texts | {"accuracy": accuracy})
