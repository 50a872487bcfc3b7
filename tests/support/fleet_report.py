"""A report of a fleet as a run would give it, for tests of what is made of it."""

from typing import Any


def series(*, scale: float = 1.0, seconds: int = 40) -> list[dict[str, Any]]:
    """Rows of a run, one a second, that vary a little; `scale` multiplies delays and costs."""
    return [
        {
            "second": float(n + 1),
            "doing": "sending",
            "planned_per_s": 100.0,
            "sent_per_s": 100.0 + n % 3,
            "acknowledged_per_s": 99.0 + n % 5,
            "stored_per_s": 98.0 + n % 7,
            "late": 0,
            "lateness_p99_ms": 4.0,
            "acknowledge_p50_ms": 5.0,
            "acknowledge_p99_ms": (20.0 + n * 7 % 5) * scale,
            "lag_p50_ms": 400.0 + n * 11 % 40,
            "lag_p99_ms": 700.0 + n * 17 % 60,
            "waiting": n,
            "in_flight": 3,
            "service_rss_mb": 80.0 + n % 2,
            "service_us_per_message": (150.0 + n * 13 % 20) * scale,
            "generator_rss_mb": 90.0,
            "generator_cpu": 0.1,
            "limit": None,
        }
        for n in range(seconds)
    ]


def report(*, scale: float = 1.0, good: bool = True, seconds: int = 40) -> dict[str, Any]:
    """A whole report."""
    delays = {"p50": 1.0, "p99": 4.0, "max": 9.0}
    return {
        "good": good,
        "verdict": {
            "fates": {"stored": 3_990, "missing": 10} if not good else {"stored": 4_000},
            "letters": {"map bad-field": 7},
            "examples": [] if good else ["missing: <b>device-3</b> 7: it was acknowledged"],
        },
        "schedule": {"due": 4_000, "begun": 4_000, "late": 3, "lateness_ms": delays},
        "options": {
            "devices": 1_000,
            "seconds": 40.0,
            "way": "ws",
            "profiles": [{"name": "burst", "factor": 5.0}],
            "kinds": ["pressure"],
        },
        "machine": {"cores": 2},
        "limit": {"name": "none", "meaning": "The schedule was kept."},
        "lag_ms": delays,
        "marks": [[10.0, "burst"], [20.0, "storm"], [900.0, "after the end"]],
        "series": series(scale=scale, seconds=seconds),
    }
