# syntax=docker/dockerfile:1
# The service's image (target `server`, the default) and the nodes' (target `node`): the same files as `make image` packs
# without a container engine, by the same script. `make dockerfile` builds this file with buildah and tries both images.
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
    && install -D -m 0755 -t /out target/release/rollcall
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/source/target \
    cargo build --locked --profile nss -p rollcall-nss -p rollcall-nss-module -p rollcall-nss-full -p rollcall-nss-direct --lib --bins \
    && install -D -m 0755 -t /out target/nss/rollcall-node target/nss/libnss_pwb.so target/nss/libnss_pwb_full.so target/nss/libnss_pwb_direct.so

FROM ${BASE} AS trees
RUN apt-get update && apt-get install -y --no-install-recommends binutils python3
COPY Cargo.toml Cargo.lock /source/
COPY packaging/image /source/packaging/image
COPY helm/files/node /source/helm/files/node
COPY --from=build /out /out
RUN for image in server node; do /source/packaging/image/build --tree $image /out /trees/$image || exit 1; done

FROM scratch AS node
COPY --from=trees /trees/node/ /
# Root of its node by purpose: the map belongs to root. The chart drops every capability.
USER 0:0
ENV PATH=/usr/bin
ENTRYPOINT ["/usr/bin/rollcall-node"]
CMD ["run"]

FROM scratch AS server
COPY --from=trees /trees/server/ /
USER 10001:10001
ENV PATH=/usr/bin
EXPOSE 8080 8081 9090
ENTRYPOINT ["/usr/bin/rollcall"]
CMD ["serve"]
