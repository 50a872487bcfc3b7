"""The dashboards of `grafana/` without Grafana: their queries run, and drawn as pictures."""
