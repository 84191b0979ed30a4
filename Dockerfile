# The image of ScribeMed: the services and the command line, for docker-compose.yml. One image, so that a machine that runs
# all of them fetches and keeps the common part once; what a container is follows from its command.
#
#   cargo xtask images
#
# builds the programs in release, puts them in target/image, and then builds this file. The programs come from outside
# because Cargo's cache is there, and because the image that was tested is then made of the programs that were tested. They
# are linked against the C library of the machine that builds, so BASE must be of the same Debian release; xtask sees to
# that. There is no secret in the image: keys and grants are made by `scribemed init`, in volumes.
#
# Nothing here needs BuildKit.
ARG BASE=debian:bookworm-slim
FROM ${BASE}

ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="ScribeMed" \
      org.opencontainers.image.description="Auth, transcription, documentation, and the scribemed command line" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"

# Recordings are fetched by https only from hosts whose certificates can be verified. Some bases bring the certificates.
RUN test -s /etc/ssl/certs/ca-certificates.crt \
    || { apt-get update \
         && apt-get install --yes --no-install-recommends ca-certificates \
         && rm -rf /var/lib/apt/lists/*; }

# A volume that is mounted for the first time takes owner and mode from the folder here; services refuse a key that others
# can read.
RUN groupadd --gid 10001 scribemed \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/scribemed --shell /usr/sbin/nologin scribemed \
    && install --directory --owner=10001 --group=10001 --mode=0700 \
         /var/lib/scribemed \
         /etc/scribemed/auth /etc/scribemed/transcription /etc/scribemed/documentation /etc/scribemed/scribemed

COPY target/image/ /usr/local/bin/

USER 10001:10001
WORKDIR /var/lib/scribemed
STOPSIGNAL SIGTERM
CMD ["scribemed", "--help"]
