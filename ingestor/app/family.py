"""What several workers say of themselves, put together as if they were one service."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

_LARGEST = frozenset({"lag_ms"})
_FIRST = frozenset({"queue", "version"})
_SMALLEST = frozenset({"uptime_seconds"})


def merge_documents(documents: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The answer to `/api/status` of all workers, from each one's; at least one.

    Counts, rates and buffers are added up; the lag is that of the slowest; the queue, which is one
    and the same, is as the first sees it.
    """
    merged: dict[str, Any] = {
        key: _merge(key, [each[key] for each in documents if key in each]) for key in documents[0]
    }
    states = [str(each["state"]) for each in documents]
    merged["state"] = next((state for state in states if state != "running"), "running")
    merged["not_ready"] = _numbered(each["not_ready"] for each in documents)
    merged["rejections"] = _rejections(documents)
    return merged


def merge_metrics(texts: Iterable[bytes]) -> bytes:
    """The expositions of all workers as one, each sample with the label `worker`."""
    families: dict[str, tuple[list[str], list[str]]] = {}
    for number, text in enumerate(texts):
        name = ""
        for line in text.decode().splitlines():
            if line.startswith("# HELP "):
                name = line.split(" ", 3)[2]
            head, samples = families.setdefault(name, ([], []))
            if line.startswith("#"):
                if line not in head:
                    head.append(line)
            elif line:
                samples.append(_labelled(line, number))
    lines = [line for head, samples in families.values() for line in (*head, *samples)]
    return "".join(f"{line}\n" for line in lines).encode()


def _labelled(sample: str, number: int) -> str:
    name, brace, rest = sample.partition("{")
    label = f'worker="{number}"'
    if brace:
        return f"{name}{{{label},{rest}"
    name, _, value = sample.partition(" ")
    return f"{name}{{{label}}} {value}"


def _merge(key: str, values: Sequence[Any]) -> Any:
    known = [value for value in values if value is not None]
    first = known[0] if known else None
    if isinstance(first, Mapping) and key not in _FIRST:
        names = dict.fromkeys(name for each in known for name in each)
        inner = key if key in _LARGEST else None
        return {name: _merge(inner or name, [each.get(name) for each in known]) for name in names}
    if isinstance(first, bool):
        return all(known)
    if isinstance(first, int | float):
        how = max if key in _LARGEST else min if key in _SMALLEST else sum
        return how(known)
    return first


def _numbered(reasons: Iterable[Sequence[str]]) -> list[str]:
    return [f"worker {n}: {reason}" for n, each in enumerate(reasons) for reason in each]


def _rejections(documents: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    counts: Counter[tuple[str, str]] = Counter()
    for document in documents:
        for each in document["rejections"]:
            counts[each["stage"], each["reason"]] += each["count"]
    return [
        {"stage": stage, "reason": reason, "count": count}
        for (stage, reason), count in counts.most_common()
    ]
