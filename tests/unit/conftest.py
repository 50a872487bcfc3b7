"""How hypothesis works here: no timing, and in CI the same examples on every run."""

import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "project",
    deadline=None,  # speed is measured by benchmarks, on machines that do nothing else
    suppress_health_check=[HealthCheck.too_slow],
    derandomize="CI" in os.environ,
)
settings.load_profile("project")
