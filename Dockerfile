# syntax=docker/dockerfile:1
# One image for all processes: the command decides. Everything installed is pinned by hash.

FROM python:3.13.14-slim-trixie AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /source
RUN python -m venv /opt/xero-stream
COPY requirements/ requirements/
RUN /opt/xero-stream/bin/python -m pip install --require-hashes -r requirements/runtime.lock
# What builds our own wheel stays in a virtual environment of its own; its pins are those of the development lock.
RUN awk '/^[a-z]/ {keep = /^(hatchling|packaging|pathspec|pluggy|tomlkit|trove-classifiers)==/} keep' requirements/dev.lock > build.lock \
    && python -m venv /tmp/build \
    && /tmp/build/bin/python -m pip install --require-hashes -r build.lock
COPY pyproject.toml README.md LICENSE ./
COPY xero_stream/ xero_stream/
COPY xero_api/ xero_api/
COPY receiver/ receiver/
COPY processors/ processors/
COPY console/ console/
COPY simulator/ simulator/
COPY verify/ verify/
COPY cli/ cli/
RUN /tmp/build/bin/python -m pip wheel --no-build-isolation --no-deps --wheel-dir /tmp/wheel . \
    && /opt/xero-stream/bin/python -m pip install --no-deps --no-index /tmp/wheel/*.whl

FROM python:3.13.14-slim-trixie
LABEL org.opencontainers.image.title="xero-stream" \
      org.opencontainers.image.description="Xero's webhooks, verified, completed and published to Kafka as change events, exactly once." \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /opt/xero-stream /opt/xero-stream
# A container's loopback is its own: health and metrics are reached from outside it, and published by nobody.
# hadolint ignore=DL3064  # PRIVATE_HOST is an address, no secret
ENV PATH=/opt/xero-stream/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    XERO_STREAM_RECEIVER_PRIVATE_HOST=0.0.0.0 \
    XERO_STREAM_PROCESSORS_PRIVATE_HOST=0.0.0.0 \
    XERO_STREAM_CONSOLE_PRIVATE_HOST=0.0.0.0
WORKDIR /tmp
USER 10001:10001
EXPOSE 8080 9464 9465 8081 9466
STOPSIGNAL SIGTERM
# Well if any of our processes in this container makes progress; compose asks for the one port it means.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=6 \
    CMD ["python", "-m", "cli.healthcheck"]
ENTRYPOINT ["xero-stream"]
CMD ["--help"]
