#!/bin/sh
# nsswitch-edit.sh add|remove [FILE]: puts `pwb` into passwd, group and shadow of nsswitch.conf, or takes it out; both may be repeated.
#
# After `files` and `systemd`, before `sss` and `winbind`: a local account must win, and a directory behind must not hide what we know.
set -eu
action=${1:?add or remove}
file=${2:-/etc/nsswitch.conf}
[ -e "$file" ] || exit 0

edited=$(awk -v action="$action" '
    /^(passwd|group|shadow):/ {
        comment = ""
        if ((at = index($0, "#")) > 0) { comment = " " substr($0, at); $0 = substr($0, 1, at - 1) }
        key = $1; line = ""; placed = 0
        for (i = 2; i <= NF; i++) {
            if ($i == "pwb") continue
            if (action == "add" && !placed && ($i == "sss" || $i == "winbind" || $i == "ldap")) { line = line " pwb"; placed = 1 }
            line = line " " $i
        }
        if (action == "add" && !placed) line = line " pwb"
        sub(/^ /, "", line)
        printf "%-15s %s%s\n", key, line, comment
        next
    }
    { print }' "$file")
[ "$edited" = "$(cat "$file")" ] && exit 0
# In place of the file in one step, with its owner and mode: a program that reads it meanwhile sees the old or the new one.
new=$(mktemp "$file.XXXXXX")
trap 'rm -f "$new"' EXIT
printf '%s\n' "$edited" > "$new"
chmod --reference="$file" "$new"
chown --reference="$file" "$new"
mv "$new" "$file"
trap - EXIT
