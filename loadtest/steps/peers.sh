# shellcheck shell=bash
# The peers of loadtest/bench: two SCIM servers that one can install, on the same data. Sourced, not run.

peer_token=loadtest
declare -A peer_url peer_pid

# install_peers: into $peers_folder, once; false when that is not possible here.
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
}

# start_peers USERS: both, filled through SCIM; false when one of them is not full in time.
start_peers() {
    local port name
    printf '%s' "$peer_token" >"$work/peer.token"
    port=$(free_port)
    "$peers_folder/python/bin/scim2-server" --port "$port" --bearer-token "$peer_token" >"$work/scim2-server.log" 2>&1 &
    peer_pid[scim2-server]=$!
    started+=($!)
    peer_url[scim2-server]=http://127.0.0.1:$port/v2
    port=$(free_port)
    node "$peers_folder/scimmy.mjs" "$port" "$peer_token" >"$work/scimmy.log" 2>&1 &
    peer_pid[scimmy]=$!
    started+=($!)
    peer_url[scimmy]=http://127.0.0.1:$port/v2
    for name in scim2-server scimmy; do
        wait_until 30 "$name" curl -fs -o /dev/null -H "Authorization: Bearer $peer_token" \
            "${peer_url[$name]}/Users?startIndex=1&count=1"
        "$loadtest" populate --scim "${peer_url[$name]}" --token-file "$work/peer.token" --users "$1" --connections 2 \
            --within "$peer_patience" || { fact "$name" "not filled with $1 users within $peer_patience s"; return 1; }
    done
}

stop_peers() {
    local name
    for name in "${!peer_pid[@]}"; do
        stop_started "${peer_pid[$name]}"
    done
}

# measure_peers SERVICE USERS: one round of pages and look-ups, the service and both peers in turn.
measure_peers() {
    local operation name
    for operation in page lookup; do
        closed "$1" "$operation" --users "$2" --clients "$peer_clients" \
            --measure "$operation-scim2-server-$2:subject:ops" --measure "$operation-scimmy-$2:subject:ops"
        for name in scim2-server scimmy; do
            timeout 180 "$loadtest" closed "$operation" --users "$2" --clients "$peer_clients" --warm-up 0 \
                --scim "${peer_url[$name]}" --token-file "$work/peer.token" --seconds "$seconds" \
                --first-round "$round" --append "$measurements" --measure "$operation-$name-$2:base:ops" \
                --watch "$name=${peer_pid[$name]}" || fact "$name" "$operation with $2 users: gave up"
        done
    done
}
