# shellcheck shell=bash
# What loadtest/scale has measured, a line each in $records. Sourced, not run.

text_of() { printf '%s' "$1" | tr -d '\\' | tr '"\n' "' "; }

# fact NAME TEXT: replaces what an earlier run has said under that name.
fact() {
    local name
    name=$(text_of "$1")
    grep -vF "\"fact\":\"$name\"" "$records" >"$records.new" || true
    printf '{"fact":"%s","step":"fact","text":"%s"}\n' "$name" "$(text_of "$2")" >>"$records.new"
    mv "$records.new" "$records"
}

# forget STEP: a step that is run again replaces its own lines, and why it was left out.
forget() {
    grep -vF -e "\"step\":\"$1\"" -e "\"fact\":\"$1\"" "$records" >"$records.new" || true
    mv "$records.new" "$records"
}

# record JSON-MEMBERS, as '"step":"x","seconds":1'
record() { printf '{%s}\n' "$1" >>"$records"; }

# elapsed BEGAN: seconds since a value of $EPOCHREALTIME.
elapsed() { awk -v from="$1" -v to="$EPOCHREALTIME" 'BEGIN { printf "%.3f", to - from }'; }

# token_of DATABASE SCOPE: a file with a token of that scope, made once.
token_of() {
    local file=$work/$1.$2.token
    [ -s "$file" ] || rollcall "$1" token generate "scale-$2" --scope "$2" --no-expiry >"$file"
    echo "$file"
}
