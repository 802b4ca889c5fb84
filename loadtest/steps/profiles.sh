# shellcheck shell=bash
# The steps of loadtest/scale that run a profile or a full sync: `sync`, `peers`, `storm`, `mixed`, `soak`. Sourced, not run.

# Clients of a full sync: Entra sends from some tens of connections.
sync_connections=32

# run_profile NAME ARGUMENTS…: results in $runs/NAME.json. A profile beyond its limits is told, and the other steps go on.
run_profile() {
    local name=$1 outcome=held
    shift
    "$loadtest" run "$here/profiles/$name.toml" --rate "$rate" --time "$time" --out "$runs/$name.json" "$@" || outcome=broken
    record "\"profile\":\"$name\",\"limits\":\"$outcome\",\"step\":\"${name/morning_login/storm}\""
}

# full_sync NAME URL TOKEN-FILE USERS GROUPS CONNECTIONS
full_sync() {
    timeout 1800 "$loadtest" populate --persona entra --scim "$2" --token-file "$3" --users "$4" --groups "$5" \
        --connections "$6" --record "$records" --server "$1"
}

step_sync() {
    local users groups
    read -r users groups <<<"$sync"
    empty_database full_sync
    start_service sync full_sync "${settings[@]}"
    full_sync rollcall "${service_url[sync]}" "$work/full_sync.token" "$users" "$groups" "$sync_connections"
    stop_service sync
}

# The same sync to each over as many connections: as large as the slowest can take in within the time-out.
step_peers() {
    local users groups name
    read -r users groups <<<"$peer_sync"
    # What a run that was interrupted has left.
    sed -i -E '/"step":"sync"/{/"server":"rollcall"/!d}' "$records"
    empty_database peer_sync
    start_service peer peer_sync "${settings[@]}"
    # The first one wakes everything up and does not count.
    full_sync warm-up "${service_url[peer]}" "$work/peer_sync.token" 50 5 "$sync_connections" >/dev/null
    stop_service peer
    empty_database peer_sync
    start_service peer peer_sync "${settings[@]}"
    full_sync rollcall-small "${service_url[peer]}" "$work/peer_sync.token" "$users" "$groups" "$sync_connections"
    stop_service peer
    if install_peers && launch_peers; then
        for name in "${!peer_url[@]}"; do
            full_sync "$name" "${peer_url[$name]}" "$work/$name.token" "$users" "$groups" "$sync_connections" || fact "$name" "the full sync failed: it refuses what Entra sends"
        done
        stop_peers
    fi
    # The lines belong to this step, so that it can be run again.
    sed -i -E '/"server":"rollcall"/!s/"step":"sync"/"step":"peers"/' "$records"
}

# The second largest population: what a site of that size meets. A copy, because profiles change people; its name for start_sized.
copy_of_middle() {
    local size middle=$smallest
    for size in $sizes; do
        [ "$size" = "$largest" ] || middle=$size
    done
    psql_as_superuser postgres "drop database if exists users_copy" 2>/dev/null
    rm -f "$work"/users_copy*.token
    clone_database users_copy "users_$middle"
    echo copy
}

watched() { echo --watch "service=${service_pid[$1]}" --watch "postgres=$postgres_pid"; }

step_storm() {
    local size
    size=$(copy_of_middle)
    start_sized storm "$size"
    # shellcheck disable=SC2046  # words
    run_profile morning_login --scim "${service_url[storm]}" --token-file "$(token_of "users_$size" login)" $(watched storm)
    stop_service storm
}

step_mixed() {
    local size
    size=$(copy_of_middle)
    start_sized mixed "$size"
    # shellcheck disable=SC2046  # words
    run_profile mixed --scim "${service_url[mixed]}" --token-file "$work/users_$size.token" $(watched mixed)
    stop_service mixed
}

# `mixed` for a long time: memory must not grow.
step_soak() {
    local size time
    size=$(copy_of_middle)
    # The profile takes two minutes.
    time=$(awk -v minutes="$minutes" 'BEGIN { print minutes / 2 }')
    start_sized soak "$size"
    # shellcheck disable=SC2046  # words
    run_profile soak --scim "${service_url[soak]}" --token-file "$work/users_$size.token" $(watched soak)
    stop_service soak
}
