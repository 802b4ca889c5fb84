# shellcheck shell=bash
# The servers of loadtest/bench: a throw-away PostgreSQL and any number of services on it. Sourced, not run.
# Everything started is remembered by process id and stopped by stop_everything.

work='' is_kept=no sockets='' postgres_pid='' cluster_pid='' started=() as_server=()
declare -A service_pid service_url service_read service_ops

fail() { echo "$(basename "$0"): $*" >&2; exit 1; }

postgres_binaries() {
    local on_path folder
    on_path=$(command -v initdb || true)
    for folder in ${on_path:+"$(dirname "$(readlink -f "$on_path")")"} \
        $(find /usr/lib/postgresql /usr/pgsql-* -maxdepth 2 -name bin 2>/dev/null | sort -rV); do
        if [ -x "$folder/initdb" ] && [ -x "$folder/postgres" ] && [ -x "$folder/pgbench" ]; then
            echo "$folder"
            return
        fi
    done
    fail "no folder with initdb, postgres and pgbench: install PostgreSQL"
}

# What goes before a command of the server: PostgreSQL refuses to run as root. An array and not a function, because
# "${as_server[@]} … &" replaces itself by the server and so has its process id.
choose_account() {
    as_server=(env -i PATH="$bin:/usr/bin:/bin" LANG=C.UTF-8)
    [ "$(id -u)" -ne 0 ] || as_server=(setpriv --reuid=postgres --regid=postgres --init-groups "${as_server[@]}")
}

psql_as_superuser() { "$bin/psql" -X -q -At -v ON_ERROR_STOP=1 -d "host=$work user=postgres dbname=$1" -c "$2"; }

# wait_until SECONDS WHAT COMMAND…
wait_until() {
    local end=$((SECONDS + $1)) what=$2
    shift 2
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$end" ] || fail "gave up waiting for $what"
        sleep 0.1
    done
}

# start_postgres [FOLDER]: in a folder of its own, or in one that is kept and may hold an earlier run's databases. The
# settings are those of pgfloor's own server, so that floors and service meet the same one; durability is never switched off.
start_postgres() {
    work=${1:-} is_kept=yes
    if [ -z "$work" ]; then
        work=$(mktemp -d "${TMPDIR:-/tmp}/rollcall-bench.XXXXXX") is_kept=no
    fi
    mkdir -p "$work"
    chmod 711 "$work"
    [ "$(id -u)" -ne 0 ] || chown postgres: "$work"
    cd "$work"
    : >"$work/empty.conf"
    choose_account
    [ -e "$work/data/PG_VERSION" ] || make_cluster "$work/data" "$work"
    run_cluster "$work/data" "$work"
    postgres_pid=$cluster_pid
}

# make_cluster DATA SOCKETS: with a sixth of the memory as buffers (PostgreSQL's documentation says a quarter). With the few that are the
# default every page of 1,000,000 users is copied from the kernel's cache.
make_cluster() {
    "${as_server[@]}" initdb -D "$1" -U postgres -A trust --locale=C --encoding=UTF8 >/dev/null
    "${as_server[@]}" tee -a "$1/postgresql.conf" >/dev/null <<SETTINGS
listen_addresses = ''
max_connections = 200
shared_buffers = $(awk '/^MemTotal/ { printf "%d", $2 / 1024 / 6 }' /proc/meminfo)MB
max_wal_size = 4GB
checkpoint_timeout = 15min
SETTINGS
    run_cluster "$1" "$2"
    "$bin/psql" -X -q -d "host=$2 user=postgres dbname=postgres" -c "create role rollcall login"
    stop_process "$cluster_pid" INT
    wait "$cluster_pid" 2>/dev/null || true
}

# run_cluster DATA SOCKETS [OPTION…]: its process id in $cluster_pid.
run_cluster() {
    local data=$1 sockets=$2
    shift 2
    "${as_server[@]}" postgres -D "$data" -k "$sockets" "$@" >>"$data.log" 2>&1 &
    cluster_pid=$!
    wait_until 300 PostgreSQL "$bin/psql" -X -q -d "host=$sockets user=postgres dbname=postgres" -c "select 1"
    [ "$(head -1 "$data/postmaster.pid")" = "$cluster_pid" ] || fail "the server has another process id"
}

free_port() {
    local port
    while :; do
        port=$((20000 + RANDOM % 12000))
        if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
            echo "$port"
            return
        fi
    done
}

rollcall() { # database, arguments: in one-role mode, with no setting but these; $sockets is another server's folder
    local database=$1
    shift
    env -i PATH="$PATH" HOME="$work" ROLLCALL_DATABASE_URI="host=${sockets:-$work} user=rollcall dbname=$database" \
        ROLLCALL_CONFIG="$work/empty.conf" "$service" "$@"
}

# make_database NAME USERS: migrated, populated, analysed, with a token in NAME.token.
make_database() {
    psql_as_superuser postgres "create database $1 owner rollcall"
    rollcall "$1" migrate >/dev/null
    rollcall "$1" token generate bench --no-expiry >"$work/$1.token"
    timeout 1800 "$loadtest" populate --users "$2" --connections "${POPULATE_CONNECTIONS:-4}" \
        --database-uri "host=$work user=rollcall dbname=$1"
    psql_as_superuser "$1" "vacuum analyze"
    # The populate's dirty pages shall not be written during a measurement.
    psql_as_superuser postgres "checkpoint"
}

# clone_database NAME OF: with its data and its token; nothing may be connected to the original.
clone_database() {
    psql_as_superuser postgres "create database $1 owner rollcall template $2"
    cp "$work/$2.token" "$work/$1.token"
    psql_as_superuser "$1" "vacuum analyze"
    psql_as_superuser postgres "checkpoint"
}

# start_service NAME DATABASE [SETTING…]: ready when it returns; microseconds from its start to then in $ready_us.
start_service() {
    local name=$1 database=$2 ops began ended
    shift 2
    local api read
    api=$(free_port) ops=$(free_port) read=$(free_port)
    began=${EPOCHREALTIME/./}
    env -i PATH="$PATH" HOME="$work" ROLLCALL_DATABASE_URI="host=${sockets:-$work} user=rollcall dbname=$database" \
        ROLLCALL_CONFIG="$work/empty.conf" "$service" serve \
        --listen "127.0.0.1:$api" --read-listen "127.0.0.1:$read" --ops-listen "127.0.0.1:$ops" \
        --scim-rate-limit 100000 --scim-rate-burst 100000 --database-prepared-statements 1 \
        --user-provisioning-start-uid 1879048192 --user-provisioning-max-uid 2147352575 \
        --group-provisioning-start-gid 2100000000 --group-provisioning-max-gid 2147352575 \
        --log-level warn "$@" >"$work/$name.log" 2>&1 &
    service_pid[$name]=$!
    started+=($!)
    ended=$(timeout 60 "$loadtest" ready "http://127.0.0.1:$ops/readyz" --within 60) \
        || { tail -5 "$work/$name.log" >&2; fail "the service on $database did not get ready"; }
    ready_us=$((ended - began))
    service_url[$name]=http://127.0.0.1:$api/scim/v2
    service_read[$name]=http://127.0.0.1:$read/nss/v1
    service_ops[$name]=http://127.0.0.1:$ops
}

# stop_process PID [SIGNAL]: waits half a minute, then kills.
stop_process() {
    kill -"${2:-TERM}" "$1" 2>/dev/null || return 0
    local turn
    for ((turn = 0; turn < 300; turn++)); do
        kill -0 "$1" 2>/dev/null || return 0
        sleep 0.1
    done
    kill -KILL "$1" 2>/dev/null || true
}

# stop_started PID: stops it and forgets it, because the number may be another's tomorrow.
stop_started() {
    local pid rest=()
    stop_process "$1"
    wait "$1" 2>/dev/null || true
    for pid in "${started[@]}"; do [ "$pid" = "$1" ] || rest+=("$pid"); done
    started=("${rest[@]}")
}

stop_service() { stop_started "${service_pid[$1]}"; }

stop_everything() {
    trap - EXIT INT TERM
    local pid
    for pid in "${started[@]}"; do stop_process "$pid"; done
    [ -z "$postgres_pid" ] || stop_process "$postgres_pid" INT
    cd /
    [ -z "$work" ] || [ "$is_kept" = yes ] || rm -rf "$work"
}
