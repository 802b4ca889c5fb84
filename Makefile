# The commands of this repository; `make` alone lists them.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help run test check bench nss-bench nss-memory nss-fuzz nss-aarch64 scale import-bench ha peers soak watch chart image dockerfile packages dashboards pictures schema supply-chain bootstrap fmt clean

export CARGO_TERM_COLOR := never

# A debug build is ready in half the time of a release build and shares everything with `make test`; for trying the
# service out it is fast enough. `make run PROFILE=release` builds what packages ship.
PROFILE ?= dev
DATA_DIR ?= .rollcall
# Where cargo puts things, whatever CARGO_TARGET_DIR and its configuration say.
target = $(shell cargo metadata --format-version 1 --no-deps --offline | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
binary = $(target)/$(if $(filter dev,$(PROFILE)),debug,$(PROFILE))/rollcall

help: ## lists the commands
	@sed -n -E 's/^([a-z0-9-]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22

run: ## builds and serves on 127.0.0.1:8080 with a private PostgreSQL in .rollcall
	@packaging/bootstrap.sh run
	cargo build --locked --profile $(PROFILE) --bin rollcall
	@service=$$$$; \
	{ until [ -s $(DATA_DIR)/scim-token ] && curl -fs -o /dev/null http://127.0.0.1:9090/readyz; do \
	    kill -0 $$service 2>/dev/null || exit 0; sleep 0.2; \
	  done; \
	  printf '\nReady. Try:\n\n  curl -H "Authorization: Bearer $$(cat $(DATA_DIR)/scim-token)" http://127.0.0.1:8080/scim/v2/Users\n\n'; \
	} & \
	exec $(binary) serve --data-dir $(DATA_DIR) --log-format text

test: ## runs every test; installs what is missing; ends with "N passed, N failed"
	@packaging/bootstrap.sh test
	@.ci/test

check: ## formatting, lints, documentation, licences, chart
	@packaging/bootstrap.sh test
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked --quiet
	@if cargo deny --version >/dev/null 2>&1; then \
	    cargo deny --locked check licenses bans sources; \
	else \
	    echo "cargo-deny is not installed: checking licences only (make supply-chain checks the rest)"; \
	    .ci/licences; \
	fi
	@tests/helm/run

chart: ## chart, alerts and dashboards: renders, validates, tests; installs its tools; ends with "N passed, N failed"
	@tests/helm/run

watch: ## breaks the high availability suite's cluster with Prometheus beside it: the right alerts fire and clear; 8 minutes
	@packaging/bootstrap.sh test
	@tests/helm/live/watch

dashboards: ## writes the dashboards, and a picture of each from the run of make watch
	@python=$$(tests/helm/install)/venv/bin/python && $$python helm/generate/write
	@$(MAKE) --no-print-directory watch

image: PROFILE := release
image: NODE_PROFILE = $(if $(filter dev,$(PROFILE)),dev,nss)
image: ## builds both OCI images without a container engine, starts them read-only as the chart does and checks them; as root
	@packaging/bootstrap.sh test
	cargo build --locked --profile $(PROFILE) --bin rollcall
	cargo build --locked --profile $(NODE_PROFILE) -p rollcall-nss -p rollcall-nss-module -p rollcall-nss-full -p rollcall-nss-direct --lib --bins
	@rm -rf $(target)/image
	@packaging/image/build server $(dir $(binary)) $(target)/image/server
	@packaging/image/build node $(target)/$(if $(filter dev,$(NODE_PROFILE)),debug,$(NODE_PROFILE)) $(target)/image/node
	@export ROLLCALL_CHART_CACHE=$$(tests/helm/install) && \
	    $$ROLLCALL_CHART_CACHE/venv/bin/python tests/helm/live/image $(target)/image/server && \
	    $$ROLLCALL_CHART_CACHE/venv/bin/python tests/helm/live/node-image $(target)/image/node $(binary)

dockerfile: ## builds Dockerfile with buildah, from Debian's packages instead of a registry, and tries both images; as root
	@packaging/bootstrap.sh test
	cargo build --locked --profile $(PROFILE) --bin rollcall
	@tests/helm/live/dockerfile $(target)/dockerfile
	@export ROLLCALL_CHART_CACHE=$$(tests/helm/install) && \
	    $$ROLLCALL_CHART_CACHE/venv/bin/python tests/helm/live/image $(target)/dockerfile/server && \
	    $$ROLLCALL_CHART_CACHE/venv/bin/python tests/helm/live/node-image $(target)/dockerfile/node $(binary)

packages: PROFILE := release
packages: ## builds the server's .deb and .rpm, looks at them, installs, upgrades and removes them in an empty Debian; as root
	@packaging/bootstrap.sh test
	cargo build --locked --profile $(PROFILE) --bin rollcall
	@tests/helm/live/packages $(binary)

pictures: ## takes the pictures of the administrators' pages anew (Chromium), after a change of their looks
	@packaging/bootstrap.sh test
	WRITE_PICTURES=1 cargo test --locked --quiet --test integration admin::pictures

schema: ## writes sql/schema.sql anew, after a change of migrations or functions
	@packaging/bootstrap.sh test
	WRITE_SCHEMA=1 cargo test --locked --quiet --test integration sql::schema

bench: ## measures every goal against PostgreSQL's floor and peers: 8 minutes; BENCH=--full for 1,000,000 users
	@packaging/bootstrap.sh run
	cargo build --locked --release --bin rollcall --bin rollcall-loadtest -p rollcall -p rollcall-loadtest
	loadtest/bench --service $(target)/release/rollcall --loadtest $(target)/release/rollcall-loadtest $(BENCH)

scale: ## measures from 10,000 to 1,000,000 users, full sync, storms, nodes, failover, memory: 35 minutes, as root; BENCH=--help
	@packaging/bootstrap.sh test
	cargo build --locked --release --bin rollcall --bin rollcall-loadtest -p rollcall -p rollcall-loadtest
	cargo build --locked --profile nss -p rollcall-nss -p rollcall-nss-module -p rollcall-nss-full -p rollcall-nss-direct --lib --bins
	loadtest/scale --service $(target)/release/rollcall --loadtest $(target)/release/rollcall-loadtest --build $(target)/nss $(BENCH)

nss-bench: ## measures the NSS module and its agent beside sssd, files and a module that does nothing: 5 minutes, as root
	@packaging/bootstrap.sh test
	@packaging/bootstrap.sh nss-bench
	cargo build --locked --release --bin rollcall
	cargo build --locked --profile nss -p rollcall-nss -p rollcall-nss-module -p rollcall-nss-full -p rollcall-nss-direct --lib --bins
	loadtest/nss-bench --service $(target)/release/rollcall --build $(target)/nss $(BENCH)

nss-memory: ## the unsafe code of the NSS module under Miri and AddressSanitizer, which need a nightly toolchain; as root
	nss/tests/memory

nss-aarch64: ## builds module and agent for aarch64 and runs their unit tests by qemu; needs the Rust target and Debian's cross compiler; as root
	nss/tests/aarch64

nss-fuzz: SECONDS := 600
nss-fuzz: ## the readers of map, JSON, configuration and HTTP against libFuzzer, SECONDS (600) each, two at a time; needs cargo-fuzz and nightly
	nss/tests/fuzz $(SECONDS)

import-bench: ## measures an import of 1,000,000 users beside COPY, and its resumption after a kill: 10 minutes; USERS=n for fewer
	@packaging/bootstrap.sh run
	cargo build --locked --release --bin rollcall
	loadtest/import-bench --service $(target)/release/rollcall --users $(or $(USERS),1000000)

ha: ## breaks a three-node cluster under load and checks what was promised: 10 minutes; SEED=n repeats a schedule
	@packaging/bootstrap.sh test
	@$(if $(SEED),ROLLCALL_HA_SEED=$(SEED)) cargo test --locked --test ha -- --include-ignored --nocapture

peers: ## builds Traefik, which `make test` skips where it is not built, and runs the tests with every proxy: 15 minutes
	@packaging/bootstrap.sh test
	ROLLCALL_BUILD_PEERS=1 tests/peers/traefik/install
	cargo test --locked --test integration login::forward_auth login::peers

soak: ## the same with random faults for MINUTES (default 60), the database away for 5, an overload of 1; a full storm of sign-ins; memory over as long
	@packaging/bootstrap.sh test
	cargo build --locked --release --bin rollcall --bin rollcall-loadtest -p rollcall -p rollcall-loadtest
	loadtest/scale --service $(target)/release/rollcall --loadtest $(target)/release/rollcall-loadtest \
	    --only 'import soak' --sizes 100000 --minutes $(or $(MINUTES),60) --dir /var/tmp/rollcall-soak --out $(target)/soak
	ROLLCALL_STORM=full cargo test --locked --release --test integration login::storm
	@ROLLCALL_HA_MINUTES=$(or $(MINUTES),60) $(if $(SEED),ROLLCALL_HA_SEED=$(SEED)) \
	    cargo test --locked --test ha -- --include-ignored --nocapture

supply-chain: ## licences, bans and sources of all dependencies by cargo-deny (builds it when missing: 15 minutes)
	cargo deny --version >/dev/null 2>&1 || cargo install --locked cargo-deny
	cargo fetch --locked
	cargo deny --locked check licenses bans sources

bootstrap: ## installs what is missing for all of the above
	@packaging/bootstrap.sh test

fmt: ## formats the code
	cargo fmt --all

clean: ## removes what was built; keeps .rollcall
	cargo clean
