# Forward authentication for `bench`: sourced. Beside it an nginx that answers at once: what this machine and the pacing of the
# clients make of any server at that rate.

# Sessions come from the proxy listener: 64 people, one cookie each.
make_sessions() {
    local number
    for ((number = 0; number < 64; number++)); do
        curl -fsS -o /dev/null -D - -H "X-RStudio-Username: verified-$number" "$1/proxy/login" |
            sed -n 's/^set-cookie: \([^;]*\);.*/\1/p'
    done >"$work/cookies"
    [ "$(wc -l <"$work/cookies")" -eq 64 ] || fail "the proxy listener gave no sessions"
}

# As fast as it goes, then paced: what a proxy waits at half the goal.
measure_verify() {
    local base=${service_url[login]%/scim/v2}/auth
    local arguments=(--scim "$base" --token-file "$work/login.token" --cookie-file "$work/cookies" --clients 16
        --seconds "$seconds" --first-round "$round" --append "$measurements" --watch "service=${service_pid[login]}")
    timeout 900 "$loadtest" closed verify "${arguments[@]}" --measure verify:subject:ops
    timeout 900 "$loadtest" closed verify "${arguments[@]}" --rate 10000 --measure verify-p99:subject:p99
    if [ -n "$nginx_url" ]; then
        fact "nginx that answers at once, at the same rate, round $round" "$(timeout 900 "$loadtest" closed verify --scim "$nginx_url" \
            --token-file "$work/login.token" --cookie-file "$work/cookies" --clients 16 --seconds "$seconds" --rate 10000 |
            sed -n 's/.*\(p99 *[0-9]* us\).*/\1/p' | tr -s ' ')"
    fi
}

# start_nginx: its address in $nginx_url, which stays empty where there is none.
nginx_url=''
start_nginx() {
    local port
    command -v nginx >/dev/null || return 0
    port=$(free_port)
    mkdir -p "$work/nginx"
    cat >"$work/nginx/nginx.conf" <<CONFIGURATION
daemon off;
pid $work/nginx/pid;
error_log $work/nginx/error.log;
events { worker_connections 64; }
http {
    access_log off;
    keepalive_requests 100000000;
    client_body_temp_path $work/nginx; proxy_temp_path $work/nginx; fastcgi_temp_path $work/nginx;
    uwsgi_temp_path $work/nginx; scgi_temp_path $work/nginx;
    server { listen 127.0.0.1:$port; location / { return 200; } }
}
CONFIGURATION
    nginx -c "$work/nginx/nginx.conf" 2>>"$work/nginx/error.log" &
    started+=($!)
    wait_until 10 nginx curl -fsS -o /dev/null "http://127.0.0.1:$port/"
    nginx_url=http://127.0.0.1:$port/auth
}
