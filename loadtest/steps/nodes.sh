# shellcheck shell=bash
# The steps `nodes` and `failover` of loadtest/scale: a primary and its synchronous standby of their own. Sourced, not run.

# Users of the pair.
pair_users=10000

# start_pair: servers in $pair/a (primary) and $pair/b, the database `pair` with a population, tokens for it.
start_pair() {
    pair=$work/pair
    rm -rf "$pair"
    "${as_server[@]}" mkdir -p "$pair/a" "$pair/b"
    chmod 711 "$pair" "$pair/a" "$pair/b"
    make_cluster "$pair/a/data" "$pair/a"
    # Synchronous from the first row on; not in a file, which the standby would inherit.
    run_cluster "$pair/a/data" "$pair/a" -c synchronous_standby_names='*' -c synchronous_commit=local
    primary_pid=$cluster_pid
    started+=("$primary_pid")
    "$bin/psql" -X -q -d "host=$pair/a user=postgres dbname=postgres" -c "create database pair owner rollcall"
    sockets=$pair/a
    rm -f "$work"/pair*.token
    rollcall pair migrate >/dev/null
    rollcall pair token generate scim --no-expiry >"$work/pair.token"
    rollcall pair token generate nodes --scope nss-user --no-expiry >"$work/pair.nss-user.token"
    "$loadtest" populate --users "$pair_users" --groups 300 --connections 4 --database-uri "host=$pair/a user=rollcall dbname=pair"
    "${as_server[@]}" pg_basebackup -h "$pair/a" -U postgres -D "$pair/b/data" -R --checkpoint=fast
    run_cluster "$pair/b/data" "$pair/b"
    standby_pid=$cluster_pid
    started+=("$standby_pid")
    "$bin/psql" -X -q -d "host=$pair/a user=postgres dbname=postgres" -c "alter database pair set synchronous_commit = on"
    "$bin/psql" -X -q -d "host=$pair/a user=postgres dbname=pair" -c "vacuum analyze"
}

stop_pair() {
    local pid
    for pid in "$standby_pid" "$primary_pid"; do
        stop_process "$pid" INT
        stop_started "$pid"
    done
    sockets=''
}

# start_on_pair NAME SETTING…: writes go to whichever is the primary, reads to the standby.
start_on_pair() {
    local name=$1
    shift
    sockets="$pair/a,$pair/b" start_service "$name" "pair target_session_attrs=read-write" \
        --database-read-uri "host=$pair/b user=rollcall dbname=pair" "${settings[@]}" "$@"
}

step_nodes() {
    [ -n "$build" ] || { fact nodes "not measured: no --build"; return; }
    [ "$(id -u)" -eq 0 ] || { fact nodes "not measured: mounts need root"; return; }
    start_pair
    start_on_pair writer
    start_on_pair reader --role read
    local arguments=(run "$here/profiles/nss_storm.toml" --rate "$rate" --time "$time" --out "$runs/nss_storm.json"
        --scim "${service_url[writer]}" --token-file "$work/pair.token" --read "${service_read[reader]}"
        --read-token-file "$work/pair.nss-user.token" --watch "replica=${service_pid[reader]}"
        --watch "standby=$standby_pid" --watch "primary=$primary_pid" --watch "writer=${service_pid[writer]}")
    local outcome=held
    unshare --mount "$here/steps/node" "$build" "${service_read[reader]%/nss/v1}" "$work/pair.nss-user.token" "$work/node" \
        "$loadtest" "${arguments[@]}" || outcome=broken
    record "\"profile\":\"nss_storm\",\"limits\":\"$outcome\",\"connections\":$(backends),\"step\":\"nodes\""
    stop_service reader
    stop_service writer
    stop_pair
}

# Connections of the read replica to the standby.
backends() {
    "$bin/psql" -X -q -At -d "host=$pair/b user=postgres dbname=pair" \
        -c "select count(*) from pg_stat_activity where usename = 'rollcall'"
}

step_failover() {
    start_pair
    start_on_pair failing
    # The command that the profile's event calls; the account is that of the servers.
    {
        printf '#!/bin/sh\nset -e\n'
        printf '%q ' "${as_server[@]}"
        echo "pg_ctl -s -D $pair/a/data stop -m immediate"
        printf '%q ' "${as_server[@]}"
        echo "pg_ctl -s -D $pair/b/data promote"
    } >"$work/fail-over"
    chmod +x "$work/fail-over"
    run_profile failover --scim "${service_url[failing]}" --token-file "$work/pair.token" --on "failover=$work/fail-over" \
        --watch "service=${service_pid[failing]}" --watch "postgres=$standby_pid"
    stop_service failing
    stop_pair
}
