# syntax=docker/dockerfile:1
# The service's image (target `server`, the default) and the nodes' (target `node`). `make image` builds both without a
# container engine, from the same lists of packages and the same files; `make dockerfile` builds this file with buildah.
ARG DEBIAN=bookworm
ARG BASE=debian:${DEBIAN}-slim
ARG RUST=rust:1-slim-${DEBIAN}

FROM ${RUST} AS build
RUN apt-get update && apt-get install -y --no-install-recommends \
        clang libclang-dev libltdl-dev libssl-dev libxml2-dev libxmlsec1-dev pkg-config python3 \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY . .
ARG ROLLCALL_REVISION=unknown
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/source/target \
    ROLLCALL_REVISION=${ROLLCALL_REVISION} cargo build --locked --release --bin rollcall \
    && install -D -m 0755 target/release/rollcall /out/rollcall && strip /out/rollcall
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/source/target \
    cargo build --locked --profile nss -p rollcall-nss -p rollcall-nss-module -p rollcall-nss-direct \
    && install -D -m 0755 target/nss/rollcall-node /out/rollcall-node \
    && install -D -m 0644 target/nss/libnss_pwb.so /out/libnss_pwb.so.2 \
    && install -D -m 0644 target/nss/libnss_pwb_direct.so /out/libnss_pwb_direct.so

FROM ${BASE} AS runtime
# The libxmlsec1 of this very list is the one that the tests of SAML run with.
COPY packaging/image/packages.server /tmp/packages
RUN apt-get update && xargs -a /tmp/packages apt-get install -y --no-install-recommends \
    && rm -rf /var/lib/apt/lists/* /var/cache/* /var/log/* /tmp/packages

FROM ${BASE} AS node-runtime
COPY packaging/image/packages.node /tmp/packages
RUN apt-get update && xargs -a /tmp/packages apt-get install -y --no-install-recommends \
    && rm -rf /var/lib/apt/lists/* /var/cache/* /var/log/* /tmp/packages

FROM ${BASE} AS sbom
RUN apt-get update && apt-get install -y --no-install-recommends python3
COPY Cargo.lock packaging/image/sbom /source/
COPY --from=runtime /var/lib/dpkg/status /source/server
COPY --from=node-runtime /var/lib/dpkg/status /source/node
RUN for image in server node; do \
        python3 /source/sbom rollcall /source/Cargo.lock /source/$image > /$image.spdx.json || exit 1; \
    done

FROM node-runtime AS node
COPY --from=build /out/rollcall-node /usr/bin/rollcall-node
COPY --from=build /out/libnss_pwb.so.2 /out/libnss_pwb_direct.so /usr/lib/rollcall/
COPY helm/files/node/ /usr/lib/rollcall/
COPY --from=sbom /node.spdx.json /usr/share/doc/rollcall/sbom.spdx.json
# Root of its node by purpose: the map belongs to root. The chart drops every capability.
USER 0:0
ENTRYPOINT ["/usr/bin/rollcall-node"]
CMD ["run"]

FROM runtime AS server
COPY --from=build /out/rollcall /usr/bin/rollcall
COPY --from=sbom /server.spdx.json /usr/share/doc/rollcall/sbom.spdx.json
USER 10001:10001
EXPOSE 8080 8081 9090
ENTRYPOINT ["/usr/bin/rollcall"]
CMD ["serve"]
