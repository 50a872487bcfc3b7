# Chronograf with the dashboard of `docker/chronograf/`.
# It wants INFLUXDB_URL, INFLUXDB_ORG and INFLUXDB_TOKEN, which make its connection.
ARG CHRONOGRAF=docker.io/library/chronograf:1.11

# hadolint ignore=DL3006 # the default above names its version
FROM ${CHRONOGRAF}
ARG REVISION=unknown
LABEL org.opencontainers.image.title="chronograf-service" \
      org.opencontainers.image.revision="${REVISION}"
COPY docker/chronograf /usr/share/chronograf/resources
ENV RESOURCES_PATH=/usr/share/chronograf/resources REPORTING_DISABLED=true
