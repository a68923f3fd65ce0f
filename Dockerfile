# syntax=docker/dockerfile:1

FROM python:3.11.14-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
COPY requirements-runtime.lock ./
RUN python -m venv /opt/reconciler \
    && /opt/reconciler/bin/pip install --require-hashes -r requirements-runtime.lock
COPY pyproject.toml ./
COPY reconciler reconciler
RUN /opt/reconciler/bin/pip install --no-deps --no-build-isolation . \
    && /opt/reconciler/bin/pip uninstall -y setuptools pip

FROM python:3.11.14-slim-bookworm
# git and ssh fetch specs; qemu-img and qemu-nbd read master images here; tini reaps what a cut git leaves behind.
# Debian's mirrors keep no old versions, so a pinned one would not build for long.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates git openssh-client qemu-utils tini \
    && rm -rf /var/lib/apt/lists/*
RUN useradd --uid 10001 --no-create-home --home-dir /var/lib/reconciler --shell /usr/sbin/nologin reconciler \
    && install -d -o 10001 -g 10001 -m 0700 /var/lib/reconciler \
    && install -d /specs
COPY --from=build /opt/reconciler /opt/reconciler
COPY deploy/container/healthcheck.py /opt/reconciler/healthcheck.py
# the root file system may be read-only: nothing but the state folder is ever written
ENV PATH=/opt/reconciler/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    STATE_DIRECTORY=/var/lib/reconciler
VOLUME /var/lib/reconciler
USER 10001:10001
# `specs`, where specs are looked for, is /specs
WORKDIR /
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="reconciler" \
      org.opencontainers.image.description="A desired-state controller for VMware ESX/ESXi hosts" \
      org.opencontainers.image.base.name="docker.io/library/python:3.11.14-slim-bookworm" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 \
    CMD ["python", "-IS", "/opt/reconciler/healthcheck.py"]
ENTRYPOINT ["tini", "--", "reconcile"]
