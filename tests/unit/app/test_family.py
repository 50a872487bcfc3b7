"""Several workers seen as one service."""

from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from ingestor.app.family import merge_documents, merge_metrics


def document(**changes: Any) -> dict[str, Any]:
    """What one worker says of itself."""
    return {
        "state": "running",
        "ready": True,
        "not_ready": [],
        "version": "1.0",
        "uptime_seconds": 10.0,
        "totals": {"received": 3, "stored": 2},
        "rates": {"stored_per_s": 1.5},
        "lag_ms": {"p50": 5.0, "p99": None},
        "buffers": {"window_messages": {"used": 1, "limit": 10}, "x": {"used": 1, "limit": None}},
        "cache": {"records": 4},
        "queue": {"visible": 7, "in_flight": 1},
        "rejections": [{"stage": "map", "reason": "bad-tag", "count": 2}],
        "dependencies": {"sqs": {"up": True, "reason": None}},
        **changes,
    }


def test_alone_it_is_as_it_says() -> None:
    """One worker's document is everybody's."""
    assert merge_documents([document()]) == document()


def test_figures_are_added_up() -> None:
    """Except those that are the same for all, and those where the worst counts."""
    other = document(
        uptime_seconds=3.0,
        totals={"received": 4, "stored": 4},
        lag_ms={"p50": 7.0, "p99": 9.0},
        queue=None,
        rejections=[
            {"stage": "decode", "reason": "not-json", "count": 3},
            {"stage": "map", "reason": "bad-tag", "count": 5},
        ],
    )
    assert merge_documents([document(), other]) == document(
        uptime_seconds=3.0,
        totals={"received": 7, "stored": 6},
        rates={"stored_per_s": 3.0},
        lag_ms={"p50": 7.0, "p99": 9.0},
        buffers={"window_messages": {"used": 2, "limit": 20}, "x": {"used": 2, "limit": None}},
        cache={"records": 8},
        rejections=[
            {"stage": "map", "reason": "bad-tag", "count": 7},
            {"stage": "decode", "reason": "not-json", "count": 3},
        ],
    )


def test_one_in_trouble_is_seen() -> None:
    """Whoever is not well says so for all, with its number."""
    ill = document(
        state="draining",
        ready=False,
        not_ready=["sqs: gone"],
        dependencies={"sqs": {"up": False, "reason": "gone"}},
    )
    merged = merge_documents([document(), ill])
    assert merged["state"] == "draining"
    assert merged["ready"] is False
    assert merged["not_ready"] == ["worker 1: sqs: gone"]
    assert merged["dependencies"] == {"sqs": {"up": False, "reason": "gone"}}


def test_metrics_say_whose_they_are() -> None:
    """Every sample has the worker's number; the families stay whole."""
    text = (
        "# HELP a_total Things.\n# TYPE a_total counter\na_total 1.0\n"
        '# HELP b State.\n# TYPE b gauge\nb{kind="x y"} 2.0\nb{kind="z"} 3.0\n'
    )
    merged = merge_metrics([text.encode(), text.replace("1.0", "4.0").encode(), b""])
    families = list(text_string_to_metric_families(merged.decode()))
    assert [family.name for family in families] == ["a", "b"]
    found = {
        (each.name, *each.labels.items()): each.value
        for family in families
        for each in family.samples
    }
    assert found == {
        ("a_total", ("worker", "0")): 1.0,
        ("a_total", ("worker", "1")): 4.0,
        ("b", ("worker", "0"), ("kind", "x y")): 2.0,
        ("b", ("worker", "0"), ("kind", "z")): 3.0,
        ("b", ("worker", "1"), ("kind", "x y")): 2.0,
        ("b", ("worker", "1"), ("kind", "z")): 3.0,
    }
