# The programs in one small image. Nothing here needs BuildKit, and nothing forbids it.
#
# The base images are public; docker/base-images.sh builds stand-ins where none can be pulled.

FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
# Symbols stay out of the image: they are three quarters of its size.
RUN CARGO_PROFILE_DIST_STRIP=symbols cargo build --profile dist --locked \
        --package certs --package kmip-proxy --package kmip-server --package node-sim \
    && mkdir -p /out \
    && cp target/dist/certs target/dist/kmip-proxy target/dist/kmip-server target/dist/node-sim \
          /out/ \
    && rm -rf target

FROM debian:bookworm-slim
# A number, because an orchestrator that forbids root cannot look a name up. A named volume takes
# the owner of the folder that it is first mounted on.
RUN mkdir -p /pki /var/lib/kmip-server /var/lib/node-sim \
    && chown 10001:10001 /pki /var/lib/kmip-server /var/lib/node-sim \
    && chmod 0700 /pki /var/lib/kmip-server /var/lib/node-sim
COPY --from=build /out/ /usr/local/bin/
USER 10001:10001
# Which program runs is the caller's to say.
CMD ["kmip-server", "serve", "--help"]
