# Grafana with the data source, the dashboards and the alerts of `grafana/`.
# It wants INFLUXDB_URL, INFLUXDB_BUCKET and INFLUXDB_TOKEN.
ARG GRAFANA=docker.io/grafana/grafana:12.4.4

# hadolint ignore=DL3006 # the default above names its version
FROM ${GRAFANA}
ARG REVISION=unknown
LABEL org.opencontainers.image.title="grafana-service" \
      org.opencontainers.image.revision="${REVISION}"
COPY grafana/provisioning /etc/grafana/provisioning
COPY grafana/dashboards /etc/ingestor/dashboards
ENV GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH=/etc/ingestor/dashboards/fleet.json \
    GF_ANALYTICS_REPORTING_ENABLED=false \
    GF_ANALYTICS_CHECK_FOR_UPDATES=false \
    GF_USERS_ALLOW_SIGN_UP=false
USER 472
