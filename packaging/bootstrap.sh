#!/usr/bin/env bash
# Installs what is missing for building, running and testing, and says what; does nothing when nothing is missing.
# Debian and Ubuntu; elsewhere it only says what is missing. Rust itself is expected: see README.md.
#
# usage: packaging/bootstrap.sh run|test|nss-bench
set -euo pipefail

purpose=${1:?usage: bootstrap.sh run|test|nss-bench}
packages=()

has() { command -v "$1" >/dev/null 2>&1; }

has_postgres() {
    local initdb
    has initdb && return
    for initdb in /usr/lib/postgresql/*/bin/initdb /usr/pgsql-*/bin/initdb; do
        [ -x "$initdb" ] && return
    done
    return 1
}

has cargo || { echo "Rust is missing: install it with rustup (https://rustup.rs) or your distribution's package" >&2; exit 1; }
has cc || packages+=(gcc libc6-dev)
has_postgres || packages+=(postgresql)
has curl || packages+=(curl)
# SAML: the cargo feature `saml`, on by default, links xmlsec1 and generates its bindings.
has pkg-config || packages+=(pkg-config)
has pkg-config && pkg-config --exists xmlsec1 libxml-2.0 openssl ||
    packages+=(libxmlsec1-dev libxml2-dev libssl-dev libltdl-dev)
has clang || packages+=(clang libclang-dev)
if [ "$purpose" = test ]; then
    has psql || packages+=(postgresql-client)
    has setpriv || packages+=(util-linux)
    # What people meet NSS through: tests/nss/chroot.
    has sshd || [ -x /usr/sbin/sshd ] || packages+=(openssh-server)
    has ssh || packages+=(openssh-client)
    has ip || [ -x /usr/sbin/ip ] || packages+=(iproute2)
    # What confines programs on nodes: tests/nss/confinement.
    has apparmor_parser || [ -x /usr/sbin/apparmor_parser ] || packages+=(apparmor)
    has checkmodule || packages+=(checkpolicy)
    has semodule_package || packages+=(semodule-utils)
    # The peers of sign-in: tests/login.
    has nginx || [ -x /usr/sbin/nginx ] || packages+=(nginx-light)
    has haproxy || [ -x /usr/sbin/haproxy ] || packages+=(haproxy)
    [ -e /usr/lib/apache2/modules/mod_auth_openidc.so ] || packages+=(apache2 libapache2-mod-auth-openidc)
    has chromium || packages+=(chromium)
    [ -d /usr/share/simplesamlphp ] || packages+=(simplesamlphp php-cli php-xml php-mbstring php-curl php-sqlite3)
    # promtool judges the metrics and alerts: tests/metrics.rs, tests/helm.
    has promtool || packages+=(prometheus)
    has npm || packages+=(npm)
    has java || packages+=(default-jre-headless)
    has mvn || packages+=(maven)
    has pgbouncer || [ -x /usr/sbin/pgbouncer ] || packages+=(pgbouncer)
    # High availability: tests/ha.
    has etcd || packages+=(etcd-server)
    has openssl || packages+=(openssl)
    python3 -c 'import venv, ensurepip' 2>/dev/null || packages+=(python3-venv)
fi

# The peers of the NSS module live in a root folder of their own: loadtest/nss-bench.
[ "$purpose" != nss-bench ] || has debootstrap || packages+=(debootstrap)

if [ ${#packages[@]} -gt 0 ]; then
    echo "missing, will be installed: ${packages[*]}"
    if ! has apt-get; then
        echo "this is not Debian or Ubuntu: please install what corresponds to ${packages[*]}" >&2
        exit 1
    fi
    if [ "$(id -u)" -eq 0 ]; then
        root=()
    elif has sudo; then
        root=(sudo)
    else
        echo "please run as root: apt-get install ${packages[*]}" >&2
        exit 1
    fi
    # The tests start what they need by themselves; a package that is installed shall start nothing.
    if [ ! -e /usr/sbin/policy-rc.d ]; then
        trap '"${root[@]}" rm -f /usr/sbin/policy-rc.d' EXIT
        printf '#!/bin/sh\nexit 101\n' | "${root[@]}" install -m 755 /dev/stdin /usr/sbin/policy-rc.d
    fi
    "${root[@]}" apt-get update -qq
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}"
fi

if [ "$purpose" = test ]; then
    for component in rustfmt clippy; do
        tool=cargo-${component/rustfmt/fmt}
        has "$tool" && continue
        echo "missing, will be installed: $component"
        has rustup || { echo "please install $component for your Rust" >&2; exit 1; }
        rustup component add "$component"
    done
fi
