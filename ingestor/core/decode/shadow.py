"""Documents of AWS IoT device shadows."""

from typing import Any

from ingestor.core.message import Reason, Rejected, Stage

_SECTIONS = ("reported", "desired", "delta")


def read_shadow(document: Any) -> dict[str, Any]:
    """The one reading of a shadow document, of whichever kind.

    `{"reported": {…}, "desired": {…}, "delta": {…}, "version": 7, "timestamp": 1700000000}`, each
    as far as it is there. Of `update/documents` it is the newer state; the state of
    `update/delta` is its `delta`.

    Raises:
        Rejected: when it is no such document.
    """
    if not isinstance(document, dict):
        raise _rejected("it is not an object")
    current = document.get("current", document)
    state = current.get("state") if isinstance(current, dict) else None
    if not isinstance(state, dict):
        raise _rejected("it has no `state`")
    reading: dict[str, Any] = {}
    if not any(section in state for section in _SECTIONS):
        reading["delta"] = state
    for section in _SECTIONS:
        if isinstance(state.get(section), dict):
            reading[section] = state[section]
    for name in ("version", "timestamp", "clientToken"):
        value = current.get(name, document.get(name))
        if value is not None:
            reading[name] = value
    return reading


def _rejected(what: str) -> Rejected:
    detail = f"the payload is not a shadow document: {what}"
    return Rejected(Stage.DECODE, Reason.NOT_A_SHADOW, detail)
