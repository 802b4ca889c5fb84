#!/bin/sh
# Makes and selects the authselect profile custom/pwb. See README beside it.
set -eu

current=$(authselect current --raw 2> /dev/null | cut -d' ' -f1 || true)
case $current in
    custom/pwb) echo "custom/pwb is selected already"; exit 0 ;;
    sssd) base=sssd ;;
    *) base=minimal; authselect list | grep -q '^- *minimal' || base=local ;;
esac
features=$(authselect current --raw 2> /dev/null | cut -s -d' ' -f2- || true)
profile=/etc/authselect/custom/pwb
[ -d "$profile" ] || authselect create-profile pwb --base-on="$base"
# Appended to the services of the three databases, before authselect's own conditions in braces at the end of the line.
for database in passwd group shadow; do
    sed -i -E "/^$database:/{/[[:space:]]pwb([[:space:]]|\$)/!s/^($database:[^{]*(\{if [^}]*\}[^{]*)*[^[:space:]{])([[:space:]]*)(\{exclude.*)?\$/\1 pwb\3\4/}" "$profile/nsswitch.conf"
    grep -qE "^$database:.*[[:space:]]pwb([[:space:]]|\$)" "$profile/nsswitch.conf" || { echo "$profile/nsswitch.conf: add pwb to $database by hand" >&2; exit 1; }
done
# shellcheck disable=SC2086  # a list of features
authselect select custom/pwb with-mkhomedir $features --force
systemctl enable --now oddjobd.service
