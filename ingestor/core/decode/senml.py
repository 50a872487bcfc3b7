"""SenML packs (RFC 8428) with their base fields resolved."""

from decimal import Decimal
from math import isfinite
from typing import Any

from ingestor.core.message import Reason, Rejected, Stage

_LABELS: dict[str, str] = {
    "-1": "bver",
    "-2": "bn",
    "-3": "bt",
    "-4": "bu",
    "-5": "bv",
    "-6": "bs",
    "0": "n",
    "1": "u",
    "2": "v",
    "3": "vs",
    "4": "vb",
    "5": "s",
    "6": "t",
    "7": "ut",
    "8": "vd",
}
"""The numbers that stand for names in CBOR (RFC 8428, section 6)."""

_KINDS: dict[str, type | tuple[type, ...]] = {
    **dict.fromkeys(("bn", "bu", "n", "u", "vs", "vd"), str),
    **dict.fromkeys(("bt", "bv", "bs", "v", "s", "t", "ut", "bver"), (int, float)),
    "vb": bool,
}
_VALUES = ("v", "vs", "vb", "vd")
_OWN = {"n", "t", "s", *_VALUES}
_VERSION = 10
_RELATIVE = 2**28
"""Times below are relative to now (RFC 8428, section 4.5.3)."""

Record = dict[str, Any]


def read_senml(pack: Any, now_ms: int, *, group: bool) -> list[Record]:
    """The readings of a pack. Relative times count from `now_ms`.

    With `group`, records of one base name and time are one reading, with the values by their
    names: `{"bn": "urn:dev:1:", "t": "1700000000", "v": {"temp": 21.5}, "vs": {…}}`. Without,
    each record is one: `{"bn": …, "n": "temp", "name": "urn:dev:1:temp", "t": …, "v": 21.5}`.

    Raises:
        Rejected: naming the record that is wrong.
    """
    if not isinstance(pack, list):
        raise _rejected("the payload is not an array of records")
    base: Record = {}
    records = []
    for number, raw in enumerate(pack):
        try:
            record = _checked(raw)
            base |= {name: record.pop(name) for name in list(record) if name.startswith("b")}
            if not record.keys().isdisjoint(_OWN):  # else it has base fields alone
                records.append(_resolved(base, record, now_ms))
        except ValueError as exc:
            raise _rejected(f"record {number}: {exc}") from exc
    return _grouped(records) if group else records


def _checked(raw: Any) -> Record:
    if not isinstance(raw, dict):
        raise ValueError("it is not an object")  # noqa: TRY004 - as the others
    record: Record = {}
    name: str
    for name, value in raw.items():
        record[_LABELS.get(name, name)] = value
    for name, value in record.items():
        kind = _KINDS.get(name)
        if kind is None:
            if name.endswith("_"):
                raise ValueError("it has a member that must be understood, and is not")
        elif not isinstance(value, kind) or (isinstance(value, bool) and name != "vb"):
            raise ValueError(f"{name} has a value of the wrong kind")
    if record.get("bver", _VERSION) > _VERSION:
        raise ValueError(f"it has a version above {_VERSION}")
    return record


def _resolved(base: Record, record: Record, now_ms: int) -> Record:
    local = record.get("n", "")
    name = base.get("bn", "") + local
    if not name:
        raise ValueError("it has no name")
    values = [each for each in _VALUES if each in record]
    if len(values) > 1:
        raise ValueError("it has more than one value")
    resolved = {"bn": base.get("bn", ""), "n": local, "name": name}
    resolved["t"] = _time(base.get("bt", 0), record.get("t", 0), now_ms)
    if (unit := record.get("u", base.get("bu"))) is not None:
        resolved["u"] = unit
    if values == ["v"] or ("bv" in base and not values):
        resolved["v"] = _sum(base.get("bv", 0), record.get("v", 0))
    if "s" in record or "bs" in base:
        resolved["s"] = _sum(base.get("bs", 0), record.get("s", 0))
    elif not values and "v" not in resolved:
        raise ValueError("it has no value")
    return resolved | {each: record[each] for each in values if each != "v"}


def _sum(base: float, value: float) -> float:
    if not base:
        return value
    # As written, not in binary: 20.1 + 0.2 is 20.3.
    number = float(Decimal(str(base)) + Decimal(str(value)))
    if not isfinite(number):
        raise ValueError("it is too large for a float")
    return number


def _time(base: float, offset: float, now_ms: int) -> str:
    time = Decimal(str(base)) + Decimal(str(offset))
    if time < _RELATIVE:
        time += Decimal(now_ms) / 1000
    return f"{time.normalize():f}"  # 5.0 is 5: IoT SQL turns one into the other


def _grouped(records: list[Record]) -> list[Record]:
    groups: dict[tuple[str, str], list[Record]] = {}
    for record in records:
        key = (record["bn"], record["t"])
        name = record["n"] or record["name"]
        # The same name again at the same time is another reading, not a correction of the first.
        readings = groups.setdefault(key, [])
        for reading in readings:
            if name not in reading["u"]:
                break
        else:
            reading = {"bn": key[0], "t": key[1], "u": {}}
            readings.append(reading)
        reading["u"][name] = record.get("u")
        for kind in (*_VALUES, "s"):
            if kind in record:
                reading.setdefault(kind, {})[name] = record[kind]
    return [reading for readings in groups.values() for reading in readings]


def _rejected(what: str) -> Rejected:
    return Rejected(Stage.DECODE, Reason.NOT_SENML, f"the payload is not SenML: {what}")
