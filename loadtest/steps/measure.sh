# shellcheck shell=bash
# The measurements of loadtest/bench, each a function that appends to $measurements. Sourced, not run.
# Sides are measured in turn inside each round: what moves the machine moves both.

text_of() { printf '%s' "$1" | tr -d '\\' | tr '"\n' "' "; }
fact() { printf '{"fact":"%s","text":"%s"}\n' "$1" "$(text_of "$2")" >>"$measurements"; }
value() { # goal, side, round, value
    printf '{"goal":"%s","side":"%s","round":%d,"value":%s}\n' "$1" "$2" "$3" "$4" >>"$measurements"
}

# closed NAME OPERATION ARGUMENTS…: against a service, told as part of $round.
closed() {
    local name=$1
    shift
    timeout 900 "$loadtest" closed "$@" --scim "${service_url[$name]}" --token-file "$work/${database_of[$name]}.token" \
        --seconds "$seconds" --first-round "$round" --append "$measurements" \
        --watch "service=${service_pid[$name]}" --watch "postgres=$postgres_pid"
}

# floor_rate FLOOR CLIENTS DATABASE: transactions per second of a floor by pgbench.
floor_rate() {
    timeout 300 "$pgfloor/floors.sh" --dsn "host=$work user=postgres dbname=$3" --bin "$bin" \
        --only "$1" --clients "$2" --seconds "$seconds" --rounds 1 --json - | sed -n 's/.*"tps": \([0-9.]*\),.*/\1/p'
}

# create user over HTTP against begin, nextval, insert, commit by pgbench, on the same server and database
measure_create() {
    local clients tps
    for clients in 16 64; do
        tps=$(floor_rate floor4 "$clients" "${database_of[create]}")
        value "create-$clients" base "$round" "${tps:?floors.sh gave no rate}"
        closed create create --clients "$clients" --measure "create-$clients:subject:ops"
    done
}

# One client: the time of one request, without a queue.
measure_patch() {
    closed large patch-member --members "10,$huge" --rounds "$rounds" \
        --measure "patch-size:subject:p50:$huge" --measure "patch-size:base:p50:10"
}

measure_scale() {
    closed small lookup --users "$small" --measure lookup-scale:base:p50
    closed large lookup --users "$large" --measure lookup-scale:subject:p50
}

# One walk to the end, then first and last page in turn.
measure_cursor() {
    closed large cursor-pages --count 100 --users "$large" --rounds "$rounds" \
        --measure cursor-last:subject:p50:last --measure cursor-last:base:p50:first
}

# The highest memory of a service of its own that has done everything under load.
measure_memory() {
    closed memory create --clients 16
    closed memory lookup --users "$memory_users" --clients 16
    closed memory page --clients 16
    closed memory patch-member --members "10,$huge" --clients 4
    local status=/proc/${service_pid[memory]}/status
    value memory subject 1 "$(awk '/^VmHWM/ { printf "%.1f", $2 / 1024 }' "$status")"
    fact "resident memory after the load (VmRSS)" "$(awk '/^VmRSS/ { printf "%.1f MiB", $2 / 1024 }' "$status")"
}

measure_start() {
    local turn
    for ((turn = 1; turn <= rounds + 2; turn++)); do
        start_service start "${database_of[small]}"
        value start subject "$turn" "$(awk -v us="$ready_us" 'BEGIN { printf "%.3f", us / 1e6 }')"
        stop_service start
    done
}

# sign_in OPERATION CLIENTS ARGUMENTS…: `POST /api/v1/logins` of the service `login`.
sign_in() {
    local operation=$1 clients=$2
    shift 2
    timeout 900 "$loadtest" closed "$operation" --users 500 --clients "$clients" --seconds "$seconds" \
        --first-round "$round" --scim "${service_url[login]%/scim/v2}/api/v1" --token-file "$work/login.token" \
        --append "$measurements" --watch "service=${service_pid[login]}" --watch "postgres=$postgres_pid" "$@"
}

# base_rate GOAL FLOOR CLIENTS
base_rate() {
    local tps
    tps=$(floor_rate "$2" "$3" "${database_of[login]}")
    value "$1" base "$round" "${tps:?floors.sh gave no rate}"
}

# Sign-ins, each beside the floor that does what they cannot do without.
measure_login() {
    local clients
    base_rate login-unchanged-16 point 16
    sign_in login-unchanged 16 --watch-database "host=$work user=postgres dbname=${database_of[login]}" --measure login-unchanged-16:subject:ops \
        --measure login-unchanged-wal:subject:wal
    base_rate login-unchanged-64 point 64
    sign_in login-unchanged 64 --measure login-unchanged-64:subject:ops
    base_rate login-first-16 floor20 16
    sign_in login-first 16 --measure login-first-16:subject:ops
    for clients in 16 64; do
        base_rate "login-churn-$clients" floor4 "$clients"
        sign_in login-churn "$clients" --measure "login-churn-$clients:subject:ops"
    done
}
