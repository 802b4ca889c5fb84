# shellcheck shell=bash
# The peers of loadtest/bench and loadtest/scale: SCIM servers that one can install, on the same data. Sourced, not run.

declare -A peer_url peer_pid

# install_peers: into $peers_folder, once; false when that is not possible here. Keycloak is left out where it cannot be had.
install_peers() {
    mkdir -p "$peers_folder"
    if [ ! -x "$peers_folder/python/bin/scim2-server" ]; then
        timeout 300 python3 -m venv "$peers_folder/python" \
            && timeout 300 "$peers_folder/python/bin/pip" install --quiet scim2-server==0.8.3 || return 1
    fi
    if [ ! -d "$peers_folder/node_modules/scimmy-routers" ]; then
        (cd "$peers_folder" && timeout 300 npm install --silent --no-audit --no-fund \
            scimmy@1.3.5 scimmy-routers@1.3.2 express@4) || return 1
    fi
    cp "$here/peers/scimmy.mjs" "$peers_folder/"
    install_keycloak || fact keycloak "not measured: it could not be installed here (Java, Maven and python3 are needed)"
}

# launch_peers: all that are installed, empty, with a token in NAME.token.
launch_peers() {
    local port name
    printf loadtest | tee "$work/scim2-server.token" >"$work/scimmy.token"
    port=$(free_port)
    "$peers_folder/python/bin/scim2-server" --port "$port" --bearer-token loadtest >"$work/scim2-server.log" 2>&1 &
    peer_pid[scim2-server]=$!
    started+=($!)
    peer_url[scim2-server]=http://127.0.0.1:$port/v2
    port=$(free_port)
    node "$peers_folder/scimmy.mjs" "$port" loadtest >"$work/scimmy.log" 2>&1 &
    peer_pid[scimmy]=$!
    started+=($!)
    peer_url[scimmy]=http://127.0.0.1:$port/v2
    [ ! -e "$peers_folder/keycloak/built" ] || start_keycloak
    for name in "${!peer_url[@]}"; do
        wait_until 30 "$name" curl -fs -o /dev/null -H "Authorization: Bearer $(<"$work/$name.token")" \
            "${peer_url[$name]}/Users?startIndex=1&count=1"
    done
}

# start_peers USERS: all, filled through SCIM; one that is not full in time is stopped and told. False when none is left.
start_peers() {
    local name
    launch_peers
    for name in "${!peer_url[@]}"; do
        if ! "$loadtest" populate --scim "${peer_url[$name]}" --token-file "$work/$name.token" --users "$1" --connections 2 \
            --within "$peer_patience"; then
            fact "$name" "not filled with $1 users within $peer_patience s"
            stop_started "${peer_pid[$name]}"
            unset "peer_url[$name]" "peer_pid[$name]"
        fi
    done
    [ ${#peer_url[@]} -gt 0 ]
}

stop_peers() {
    local name
    for name in "${!peer_pid[@]}"; do
        stop_started "${peer_pid[$name]}"
    done
    peer_url=() peer_pid=()
}

# measure_peers SERVICE USERS: one round of pages and look-ups, the service and its peers in turn.
measure_peers() {
    local operation name measures
    for operation in page lookup; do
        measures=()
        for name in "${!peer_url[@]}"; do measures+=(--measure "$operation-$name-$2:subject:ops"); done
        closed "$1" "$operation" --users "$2" --clients "$peer_clients" "${measures[@]}"
        for name in "${!peer_url[@]}"; do
            timeout 180 "$loadtest" closed "$operation" --users "$2" --clients "$peer_clients" --warm-up 0 \
                --scim "${peer_url[$name]}" --token-file "$work/$name.token" --seconds "$seconds" \
                --first-round "$round" --append "$measurements" --measure "$operation-$name-$2:base:ops" \
                --watch "$name=${peer_pid[$name]}" || fact "$name" "$operation with $2 users: gave up"
        done
    done
}
