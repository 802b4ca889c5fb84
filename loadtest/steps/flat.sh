# shellcheck shell=bash
# The steps `flat`, `cost` and `memory` of loadtest/scale. Sourced, not run.

# What is measured at every size: a name of `closed`, then its arguments.
flat_operations=(
    "filter --by user-name" "filter --by user-name-start" "filter --by external-id" "filter --by email" "filter --by id"
    "filter --by posix-user-name" "filter --by posix-user-id" "filter --by last-modified" "filter --by group-name"
    "filter --by member" "cursor-pages --count 100" "patch-member --members 10" nss-name nss-uid nss-initgroups nss-changes
    login-unchanged login-churn login-first create)

# What the capacity page is made of.
cost_operations=("filter --by user-name" "page --count 100" "patch-member --members 10" nss-name nss-initgroups nss-changes
    login-unchanged login-churn login-first create)

# start_sized NAME SIZE [SETTING…]: a service on a population, with sign-in for a front end.
start_sized() {
    local name=$1 size=$2
    shift 2
    start_service "$name" "users_$size" --user-provisioning-register-on-first-login 1 "${settings[@]}" "$@"
}

# measure STEP NAME SIZE CLIENTS OPERATION ARGUMENTS…: of a service, one line per round in $records. The second turn finds it warm.
measure() {
    local step=$1 name=$2 size=$3 clients=$4 operation=$5 base token people=$3 warm_up=2
    shift 5
    # The first writes to each page after a checkpoint log it whole (full_page_writes), and a large table has many pages.
    case $operation in
        create | login-first) warm_up=12 ;;
    esac
    [ "${turn:-1}" -eq 1 ] || warm_up=1
    case $operation in
        nss-*) base=${service_read[$name]} token=$(token_of "users_$size" nss-user) ;;
        # So many have signed in before: those whose next sign-in is measured.
        login-*) base=${service_url[$name]%/scim/v2}/api/v1 token=$(token_of "users_$size" login) people=$((clients > 4 ? 20 * clients : 100)) ;;
        *) base=${service_url[$name]} token=$work/users_$size.token ;;
    esac
    timeout 900 "$loadtest" closed "$operation" "$@" --users "$people" --groups $((size * each / 50)) --clients "$clients" \
        --scim "$base" --token-file "$token" --rounds "$rounds" --seconds "$seconds" --warm-up "$warm_up" --record "$records" \
        --step "$step" --size "$size" --watch "service=${service_pid[$name]}" --watch "postgres=$postgres_pid" \
        --watch-database "host=$work user=postgres dbname=users_$size"
}

# settle SIZE: a population as it is on the next day. Otherwise vacuum of what was just imported works beside the measurements, and the
# first of them read the largest tables from the disk.
settle() {
    local statement
    for statement in "vacuum analyze" checkpoint "create extension if not exists pg_prewarm" \
        "select sum(pg_prewarm(oid)) from pg_class where relnamespace = 'store'::regnamespace and relkind in ('r', 'i')"; do
        psql_as_superuser "users_$1" "$statement" >/dev/null
    done
}

# One client: the time and the work of one operation, without a queue. The sizes take turns in every round: the machine's speed is not
# the same from one minute to the next.
step_flat() {
    local size operation turn turns=$rounds rounds=1
    forget database
    for size in $sizes; do settle "$size"; done
    for size in $sizes; do start_sized "flat_$size" "$size"; done
    for operation in "${flat_operations[@]}"; do
        for ((turn = 1; turn <= turns; turn++)); do
            # shellcheck disable=SC2086  # words
            for size in $sizes; do measure flat "flat_$size" "$size" 1 $operation; done
        done
    done
    for size in $sizes; do
        stop_service "flat_$size"
        record "\"size\":$size,\"bytes\":$(psql_as_superuser "users_$size" "select pg_database_size(current_database())"),\"step\":\"database\""
    done
}

# Sixteen clients: what an operation costs when there is always one waiting.
step_cost() {
    local size=$largest operation seconds
    # PostgreSQL counts rows once a second.
    seconds=$(awk -v short="$base_seconds" 'BEGIN { print 2 * short }')
    start_sized cost "$size"
    for operation in "${cost_operations[@]}"; do
        # shellcheck disable=SC2086  # words
        measure cost cost "$size" 16 $operation
    done
    stop_service cost
}

# tell_memory ROLE PID: after the load.
tell_memory() {
    record "\"role\":\"$1\",\"size\":$largest,\"rss_mib\":$(mib VmRSS "$2"),\"highest_mib\":$(mib VmHWM "$2"),\"step\":\"memory\""
}
mib() { awk -v key="$1:" '$1 == key { printf "%.1f", $2 / 1024 }' "/proc/$2/status"; }

# A replica that has done everything under load, and a read replica from which nodes have loaded the whole directory.
step_memory() {
    local size=$largest operation
    start_sized memory "$size"
    record "\"role\":\"api at rest\",\"size\":$size,\"rss_mib\":$(mib VmRSS "${service_pid[memory]}"),\"highest_mib\":$(mib VmHWM "${service_pid[memory]}"),\"step\":\"memory\""
    for operation in "filter --by user-name" "page --count 100" "patch-member --members 10" login-first login-unchanged create; do
        # shellcheck disable=SC2086  # words
        measure loaded memory "$size" 16 $operation >/dev/null
    done
    tell_memory api "${service_pid[memory]}"
    stop_service memory
    start_sized read "$size" --role read
    for operation in nss-name nss-initgroups nss-changes nss-snapshot; do
        measure loaded read "$size" 8 $operation >/dev/null
    done
    tell_memory read "${service_pid[read]}"
    stop_service read
    forget loaded
}
