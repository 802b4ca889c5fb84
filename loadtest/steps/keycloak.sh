# shellcheck shell=bash
# Keycloak as a peer: its SCIM API is a feature that is off by default and for one realm at a time. Sourced, not run.

# install_keycloak: a copy of the tests' one, built with the feature, once.
install_keycloak() {
    local home=$peers_folder/keycloak original
    [ ! -e "$home/built" ] || return 0
    original=$("$here/../tests/peers/keycloak/install") || return 1
    rm -rf "$home"
    cp -r "$original" "$home"
    rm -f "$home/built"
    bash "$home/bin/kc.sh" build --db=dev-mem --cache=local --features=scim-api >"$work/keycloak-build.log" 2>&1 || return 1
    touch "$home/built"
}

# start_keycloak: with a realm whose client may use the API, its token in keycloak.token.
start_keycloak() {
    local port home=$peers_folder/keycloak base
    port=$(free_port)
    base=http://127.0.0.1:$port
    KC_BOOTSTRAP_ADMIN_USERNAME=admin KC_BOOTSTRAP_ADMIN_PASSWORD=admin java -XX:+UseSerialGC -Xmx1g \
        -Djava.util.logging.manager=org.jboss.logmanager.LogManager "-Dkc.home.dir=$home" -cp "$home/lib/quarkus-run.jar" \
        io.quarkus.bootstrap.runner.QuarkusEntryPoint start --optimized --http-enabled=true --hostname-strict=false \
        --http-host=127.0.0.1 "--http-port=$port" >"$work/keycloak.log" 2>&1 &
    peer_pid[keycloak]=$!
    started+=($!)
    # In a shell of its own, which may give up without ending this one.
    if ! (wait_until 300 Keycloak curl -fs -o /dev/null "$base/realms/master"); then
        fact keycloak "not measured: it was not ready within 300 s"
        stop_started "${peer_pid[keycloak]}"
        unset 'peer_pid[keycloak]'
        return
    fi
    realm "$base" | curl -fsS -H "Authorization: Bearer $(grant "$base" master client_id=admin-cli grant_type=password username=admin password=admin)" \
        -H 'Content-Type: application/json' -d @- "$base/admin/realms"
    grant "$base" bench client_id=loadtest client_secret=loadtest grant_type=client_credentials >"$work/keycloak.token"
    peer_url[keycloak]=$base/realms/bench/scim/v2
}

# grant BASE REALM FIELD…: an access token.
grant() {
    local url=$1/realms/$2/protocol/openid-connect/token field fields=()
    shift 2
    for field; do fields+=(--data-urlencode "$field"); done
    curl -fsS "${fields[@]}" "$url" | sed -n 's/.*"access_token":"\([^"]*\)".*/\1/p'
}

# The API wants a confidential client whose token names the API as its audience.
realm() { # BASE
    cat <<JSON
{"realm": "bench", "enabled": true, "scimApiEnabled": true, "accessTokenLifespan": 36000, "ssoSessionMaxLifespan": 36000,
 "ssoSessionIdleTimeout": 36000,
 "clients": [{"clientId": "loadtest", "enabled": true, "secret": "loadtest", "publicClient": false,
   "serviceAccountsEnabled": true, "standardFlowEnabled": false,
   "protocolMappers": [{"name": "audience", "protocol": "openid-connect", "protocolMapper": "oidc-audience-mapper",
     "config": {"included.custom.audience": "$1/realms/bench/scim/v2", "access.token.claim": "true"}}]}],
 "users": [{"username": "service-account-loadtest", "enabled": true, "serviceAccountClientId": "loadtest",
   "clientRoles": {"realm-management": ["realm-admin"]}}]}
JSON
}
