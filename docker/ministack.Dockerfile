# MiniStack: AWS for one machine, from its package with hashes. Not for networks others can reach.
ARG PYTHON=docker.io/library/python:3.13-slim@sha256:7c61056e61ac89e852de05f3dc6fa51a6dd2181797bceed46aa725dd7cb2cd3b

# hadolint ignore=DL3006 # the default above is pinned by its digest
FROM ${PYTHON}
ARG PIP_CERT
ARG PIP_INDEX_URL
WORKDIR /opt/ministack
COPY requirements-ministack.txt ./
RUN python3 -m venv . \
    && bin/pip install --no-cache-dir --require-hashes --no-deps -r requirements-ministack.txt \
    && mkdir state && chown 10001:10001 state
ENV PATH=/opt/ministack/bin:$PATH HOME=/opt/ministack/state GATEWAY_PORT=4566 BIND_HOST=0.0.0.0 \
    STATE_DIR=/opt/ministack/state/aws S3_DATA_DIR=/opt/ministack/state/s3 \
    IOT_MTLS_ENABLED=0 SFTP_ENABLED=0
USER 10001:10001
EXPOSE 4566
HEALTHCHECK --interval=2s --timeout=2s --retries=30 \
    CMD ["python3", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:4566/_ministack/health')"]
CMD ["ministack"]
