#!/usr/bin/env bash
# chroot.sh: the module and the agent in a real system, as programs meet them: getent, id, ls, chown, su, sshd.
#
#   chroot.sh [OPTIONS]        as root
#
#   -b, --build DIR      folder with libnss_pwb.so, libnss_pwb_full.so, libnss_pwb_direct.so, rollcall-node      [target/nss]
#   -s, --service CMD    the service: a shell command run inside the test's network namespace, in the foreground. It must listen at
#                        the address of --address with the data set of $DATA (passwd, group), write user-token and admin-token
#                        into $TOKENS when everybody is there, and do what the lines of the pipe $CONTROL say
#                        (lock NAME, add NAME UID GID, rename OLD NEW, remove NAME, join NAME GROUP, of a given one sign-in NAME GROUP,GROUP too)
#                        [examples/contract_server of the build folder; tests/nss/chroot/serve ROLLCALL is the real one]
#   -A, --address URL    server-address                                                     [http://127.0.0.1:8081]
#   -k, --keep           leave the root folder for inspection
#
# The root folder is an overlay of the machine's own file system in a private mount, pid and network namespace: nothing outside is changed,
# and everything is gone when the script ends. Needs: unshare, overlayfs, merged /usr, sshd, ssh, ssh-keygen, su, setpriv, pam_mkhomedir, a C compiler.
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
BUILD=${CARGO_TARGET_DIR:-$HERE/../../target}/nss
SERVICE='' ADDRESS=http://127.0.0.1:8081 KEEP=''
ARGUMENTS=("$@")
while (($#)); do
    case $1 in
        -b|--build) BUILD=$(realpath -e "$2"); shift ;;
        -s|--service) SERVICE=$2; shift ;;
        -A|--address) ADDRESS=$2; shift ;;
        -k|--keep) KEEP=1 ;;
        *) sed -n '2,/^set -/{s/^# \{0,1\}//;/^set -/d;p}' "${BASH_SOURCE[0]}"; exit 2 ;;
    esac
    shift
done

fail() { echo "chroot.sh: $*" >&2; exit 1; }
[[ $(id -u) -eq 0 ]] || fail "must run as root"
for file in libnss_pwb.so libnss_pwb_full.so libnss_pwb_direct.so rollcall-node; do
    [[ -f $BUILD/$file ]] || fail "$BUILD/$file is missing: cargo build --profile nss -p rollcall-nss -p rollcall-nss-module -p rollcall-nss-full -p rollcall-nss-direct"
done
for program in sshd ssh ssh-keygen su setpriv unshare cc; do
    PATH=$PATH:/usr/sbin command -v "$program" > /dev/null || fail "$program is missing"
done

if [[ -z ${CHROOT_INSIDE:-} ]]; then
    WORK=$(mktemp -d /var/tmp/nss-chroot.XXXXXX)
    export WORK
    [[ $KEEP ]] || trap 'rm -rf "$WORK"' EXIT
    CHROOT_INSIDE=1 unshare --mount --mount-proc --pid --net --fork --kill-child bash "${BASH_SOURCE[0]}" "${ARGUMENTS[@]}"
    exit
fi

# ---------------------------------------------------------------- the root folder

chmod 711 "$WORK" # the database of a service may run as an account of its own
ROOT=$WORK/root DATA=$WORK/data TOKENS=$WORK/tokens CONTROL=$WORK/control
export ROOT DATA TOKENS CONTROL
mkdir -p "$ROOT" "$DATA" "$TOKENS"
# sshd runs no command for keys under a folder that others may write.
mount -t tmpfs -o mode=755 tmpfs "$ROOT"
mkdir -p "$ROOT"/{etc,run,tmp,proc,dev,sys,root,home,var/tmp,var/log,var/cache/rollcall,usr,.upper,.work}
chmod 1777 "$ROOT/tmp"
for link in bin sbin lib lib64; do
    if [[ -L /$link ]]; then cp -a "/$link" "$ROOT/"; elif [[ -d /$link ]]; then fail "this machine has no merged /usr"; fi
done
mount -t overlay overlay -o "lowerdir=/usr,upperdir=$ROOT/.upper,workdir=$ROOT/.work" "$ROOT/usr"
cp -a /etc/pam.d /etc/security /etc/login.defs /etc/ld.so.conf /etc/ld.so.conf.d /etc/skel /etc/ssl "$ROOT/etc/" 2> /dev/null || true
cp -a /etc/alternatives /etc/environment /etc/default "$ROOT/etc/" 2> /dev/null || true
mount -t proc proc "$ROOT/proc"
mount --rbind /dev "$ROOT/dev"
ip link set lo up

cat > "$ROOT/etc/passwd" <<'END'
root:x:0:0:root:/root:/bin/bash
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
sshd:x:105:65534::/run/sshd:/usr/sbin/nologin
local:x:1001:1001:A local account:/home/local:/bin/sh
user09998:x:1002:1002:A local account with the name of a provisioned user:/home/local:/bin/sh
END
printf 'root:x:0:\nnogroup:x:65534:\nlocal:x:1001:\nlocals:x:1002:local\ntty:x:5:\n' > "$ROOT/etc/group"
printf '%s:*:19000:0:99999:7:::\n' root nobody sshd local user09998 > "$ROOT/etc/shadow"
chmod 600 "$ROOT/etc/shadow"
cat > "$ROOT/etc/nsswitch.conf" <<'END'
passwd:         files pwb
group:          files pwb
shadow:         files pwb
hosts:          files
END
echo '127.0.0.1 localhost' > "$ROOT/etc/hosts"

# 10,000 users and 500 groups; user00000 has uid 100000, grp000 gid 200000, everybody is in two groups more than his primary one.
awk -v data="$DATA" 'BEGIN {
    for (i = 0; i < 10000; i++) {
        printf "user%05d:x:%d:%d:User %d:/home/user%05d:/bin/bash\n", i, 100000 + i, 200000 + i % 500, i, i > (data "/passwd")
        for (k = 1; k <= 2; k++) { j = (i * 7 + k * 131) % 500; if (j != i % 500) members[j] = members[j] "," sprintf("user%05d", i) }
    }
    for (j = 0; j < 500; j++) printf "grp%03d:x:%d:%s\n", j, 200000 + j, substr(members[j], 2) > (data "/group")
}'

LIBDIR=$(dirname "$(chroot "$ROOT" ldconfig -p 2> /dev/null | sed -n 's/.*libc\.so\.6 .*=> //p' | head -n 1)")
[[ $LIBDIR == /* ]] || LIBDIR=$(dirname "$(find "$ROOT/usr/lib" -name libc.so.6 | head -n 1 | sed "s|^$ROOT||")")
install -D -m 644 "$BUILD/libnss_pwb.so" "$ROOT$LIBDIR/libnss_pwb.so.2"
install -D -m 644 -t "$ROOT$LIBDIR/rollcall" "$BUILD/libnss_pwb_full.so" "$BUILD/libnss_pwb_direct.so"
install -m 755 "$BUILD/rollcall-node" "$ROOT/usr/sbin/rollcall-node"
ldconfig -r "$ROOT" 2> /dev/null
"${CC:-cc}" -O2 -Wall -Wextra -o "$ROOT/torture" "$HERE/torture.c" -lpthread -ldl
mkdir -p "$ROOT/etc/rstudio"

inside() { chroot "$ROOT" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C HOME=/root "$@"; }
as_user() { inside setpriv --reuid 100077 --regid 200077 --clear-groups "$@"; }

# ---------------------------------------------------------------- verdicts

FAILED=0 COUNT=0
is() { # WHAT EXPECTED COMMAND...: standard output of the command
    local what=$1 expected=$2 answer
    shift 2
    COUNT=$((COUNT + 1))
    answer=$("$@" 2> "$WORK/stderr" < /dev/null) || true
    if [[ $answer == "$expected" ]]; then
        echo "ok   $what"
    else
        FAILED=$((FAILED + 1))
        printf 'FAIL %s\n  expected: %s\n  answered: %s %s\n' "$what" "$expected" "$answer" "$(head -c 300 "$WORK/stderr")"
    fi
}
within() { # WHAT MILLISECONDS COMMAND...: however it ends
    local what=$1 limit=$2 start=${EPOCHREALTIME/./} taken
    shift 2
    COUNT=$((COUNT + 1))
    "$@" > /dev/null 2>&1 < /dev/null || true
    taken=$(((${EPOCHREALTIME/./} - start) / 1000))
    if ((taken <= limit)); then
        echo "ok   $what ($taken ms)"
    else
        FAILED=$((FAILED + 1))
        echo "FAIL $what: $taken ms, at most $limit wanted"
    fi
}
until_is() { # WHAT EXPECTED MILLISECONDS COMMAND...
    local what=$1 expected=$2 limit=$3 start=${EPOCHREALTIME/./} answer
    shift 3
    COUNT=$((COUNT + 1))
    while answer=$("$@" 2> /dev/null < /dev/null) || true; [[ $answer != "$expected" ]]; do
        if (((${EPOCHREALTIME/./} - start) / 1000 > limit)); then
            FAILED=$((FAILED + 1))
            printf 'FAIL %s: not within %s ms\n  expected: %s\n  answered: %s\n' "$what" "$limit" "$expected" "$answer"
            return
        fi
        sleep 0.05
    done
    echo "ok   $what ($(((${EPOCHREALTIME/./} - start) / 1000)) ms)"
}
status_of() { "$@" > /dev/null 2>&1 && echo 0 || echo $?; }

# ---------------------------------------------------------------- service and agent

mkfifo "$CONTROL"
sleep infinity > "$CONTROL" & # holds the pipe open
DEFAULT_SERVICE="echo rc_user.secret > '$TOKENS/user-token'; echo rc_admin.secret > '$TOKENS/admin-token'; exec '$BUILD/examples/contract_server' --listen 127.0.0.1:8081 --passwd '$DATA/passwd' --group '$DATA/group' < '$CONTROL'"
start_service() {
    setsid sh -c "${SERVICE:-$DEFAULT_SERVICE}" > "$WORK/service.log" 2>&1 &
    SERVICE_GROUP=$!
    disown
}
start_agent() {
    # exec all the way, so that the pid is the agent's own
    (exec chroot "$ROOT" /usr/sbin/rollcall-node > "$WORK/agent.log" 2>&1) &
    AGENT=$!
    disown
    until_is "the agent has the whole directory" 0 60000 status_of inside rollcall-node status
}
configure() {
    local deadline=$((SECONDS + 300))
    until [[ -s $TOKENS/user-token && -s $TOKENS/admin-token ]]; do
        kill -s 0 "$SERVICE_GROUP" 2> /dev/null || { cat "$WORK/service.log" >&2; fail "the service has ended"; }
        ((SECONDS < deadline)) || { cat "$WORK/service.log" >&2; fail "no tokens from the service within 300 s"; }
        sleep 0.1
    done
    install -m 644 "$TOKENS/user-token" "$ROOT/etc/rstudio/user-token"
    install -m 600 "$TOKENS/admin-token" "$ROOT/etc/rstudio/admin-token"
    printf 'server-address=%s\n' "$ADDRESS" > "$ROOT/etc/rstudio/workbench-nss.conf"
}
control() { echo "$*" > "$CONTROL"; }

same_answers() { # MODE
    local mode=$1
    is "$mode: passwd by name" "user00077:x:100077:200077:User 77:/home/user00077:/bin/bash" inside getent passwd user00077
    is "$mode: passwd by uid" "user00077:x:100077:200077:User 77:/home/user00077:/bin/bash" inside getent passwd 100077
    is "$mode: passwd as a user" "user00077:x:100077:200077:User 77:/home/user00077:/bin/bash" as_user getent passwd user00077
    is "$mode: group by name" "grp042:*:200042" sh -c "chroot '$ROOT' getent group grp042 | cut -d: -f1-3"
    is "$mode: group by gid" "grp042:*:200042" sh -c "chroot '$ROOT' getent group 200042 | cut -d: -f1-3"
    is "$mode: shadow as root" "user00077:*:::::::" inside getent shadow user00077
    is "$mode: shadow as a user" "" as_user getent shadow user00077
    is "$mode: id" "uid=100077(user00077) gid=200077(grp077) groups=200077(grp077),200170(grp170),200301(grp301)" inside id user00077
    is "$mode: id as a user" "uid=100077(user00077) gid=200077(grp077) groups=200077(grp077),200170(grp170),200301(grp301)" as_user id user00077
    is "$mode: nobody has an unknown name" 2 status_of inside getent passwd nobody-here
    is "$mode: nobody has the uid -1" 2 status_of inside getent passwd 4294967295
    is "$mode: all users" 10005 sh -c "chroot '$ROOT' getent passwd | wc -l"
    is "$mode: all groups" 505 sh -c "chroot '$ROOT' getent group | wc -l"
    inside touch /tmp/file
    inside chown user00042:grp042 /tmp/file
    is "$mode: chown and ls" "user00042 grp042" sh -c "chroot '$ROOT' ls -l /tmp/file | awk '{print \$3, \$4}'"
    is "$mode: su" user00042 inside su user00042 -c whoami
    for torture in cancel walk unload stdio sigpipe closefds nofile forks; do
        is "$mode: torture $torture" "$torture ok" inside /torture $torture
    done
    is "$mode: service frozen: an unknown name costs a second once, on the whole node" "frozen ok" inside /torture frozen "$SERVICE_GROUP"
    until_is "$mode: the service is asked again" 100002 5000 sh -c "chroot '$ROOT' getent passwd user00002 | cut -d: -f3"
    is "$mode: a local account keeps its own groups alone" "uid=1002(user09998) gid=1002(locals) groups=1002(locals)" inside id user09998
}

# ---------------------------------------------------------------- the object itself

exports() { nm -D --defined-only "$1" | awk '$3 !~ /^_nss_pwb_/ { print $3 }'; }
# What a panic or an allocation would need: the module has to be of a size and make that a process which asks for one name does not notice.
is "the module needs no unwinder, no allocator, no thread-local" "" sh -c "nm -D --undefined-only '$BUILD/libnss_pwb.so' | grep -E 'dl_iterate_phdr|dl_find_object|abort|malloc|calloc|pthread_key|tls_get_addr'"
is "the module exports its entry points alone" "" exports "$BUILD/libnss_pwb.so"
is "the full module exports its entry points alone" "" exports "$BUILD/libnss_pwb_full.so"

# ---------------------------------------------------------------- without configuration

is "no configuration: not found, silently" 2 status_of inside getent passwd user00077
is "no configuration: nothing on standard error" "" sh -c "chroot '$ROOT' getent passwd user00077 2>&1"

# ---------------------------------------------------------------- direct mode

# As the package's tmpfiles.d has it: here processes of root tell the others that the service does not answer.
mkdir -p "$ROOT/run/rollcall"
start_service
configure
until_is "the service answers" 0 60000 status_of inside getent passwd user00001
same_answers direct

if [[ -z $SERVICE ]]; then
    is "direct: the child of a threaded parent does not grow" "grow ok" inside /torture grow 30000
    cat "$WORK/stderr"
fi

# ---------------------------------------------------------------- with the agent

start_agent
same_answers map

# ---------------------------------------------------------------- login by ssh key

mkdir -p "$ROOT/run/sshd" "$ROOT/etc/ssh"
ssh-keygen -q -t ed25519 -N '' -f "$ROOT/etc/ssh/host_key"
ssh-keygen -q -t ed25519 -N '' -f "$WORK/key"
cat > "$ROOT/etc/ssh/sshd_config" <<'END'
Port 2222
ListenAddress 127.0.0.1
HostKey /etc/ssh/host_key
AuthorizedKeysFile none
AuthorizedKeysCommand /usr/sbin/rollcall-node authorized-keys %u
AuthorizedKeysCommandUser nobody
StrictModes no
UsePAM yes
PasswordAuthentication no
KbdInteractiveAuthentication no
UseDNS no
PidFile none
Match User root
    AuthorizedKeysFile /etc/ssh/root_keys
END
cp "$WORK/key.pub" "$ROOT/etc/ssh/root_keys"
cat > "$ROOT/etc/pam.d/sshd" <<'END'
auth     required pam_unix.so
account  required pam_unix.so
session  required pam_unix.so
session  required pam_mkhomedir.so skel=/etc/skel umask=0077
END
for user in user00042 user00043; do
    control key "$user" "$(cat "$WORK/key.pub")"
    until_is "the key of $user is on the node within two seconds" "$(cat "$WORK/key.pub")" 2000 inside setpriv --reuid nobody rollcall-node authorized-keys "$user"
done
is "an unknown user has no key, and that is no failure" 0 status_of inside rollcall-node authorized-keys nosuchuser
inside /usr/sbin/sshd -D -E /tmp/sshd.log &
disown
login() { ssh -n -p 2222 -i "$WORK/key" -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR "$1@127.0.0.1" "$2"; }
until_is "ssh: a provisioned user logs in by key" user00042 10000 login user00042 whoami
is "ssh: his home directory was made for him" "user00042 grp042 drwx------" sh -c "chroot '$ROOT' ls -ld /home/user00042 | awk '{print \$3, \$4, \$1}'"
is "ssh: before the lock" user00043 login user00043 whoami
is "ssh: root logs in" root login root whoami
root_logs_in=${EPOCHREALTIME/./}
login root id > /dev/null
root_logs_in=$(((${EPOCHREALTIME/./} - root_logs_in) / 1000))
is "a home is made without pam_mkhomedir" "user00044 grp044 drwx------" sh -c "chroot '$ROOT' rollcall-node make-home user00044 > /dev/null; chroot '$ROOT' ls -ld /home/user00044 | awk '{print \$3, \$4, \$1}'"
control lock user00043
until_is "a lock is on the node within two seconds" 'user00043:!::::::1:' 2000 inside getent shadow user00043
is "ssh: a locked user is refused even with his key" "" login user00043 whoami
is "a locked user still resolves" "user00043" sh -c "chroot '$ROOT' getent passwd 100043 | cut -d: -f1"

# ------------------------------------------------------------ changes

control add newcomer 150000 200000
until_is "a new user is on the node within two seconds" newcomer 2000 sh -c "chroot '$ROOT' getent passwd 150000 | cut -d: -f1"
control rename newcomer oldtimer
until_is "a renamed user answers under his new name" 150000 2000 sh -c "chroot '$ROOT' getent passwd oldtimer | cut -d: -f3"
until_is "and no longer under the old one" 2 2000 status_of inside getent passwd newcomer
control join user00044 grp000
until_is "a new membership is in the user's groups within two seconds" 200000 2000 sh -c "chroot '$ROOT' id -G user00044 | tr ' ' '\n' | grep -x 200000"
until_is "and in the group's members" user00044 2000 sh -c "chroot '$ROOT' getent group grp000 | tr ':,' '\n\n' | grep -x user00044"
control remove oldtimer
until_is "a removed user is gone" 2 2000 status_of inside getent passwd oldtimer
if [[ $SERVICE ]]; then
    control sign-in user00046 grp100,grp200
    until_is "sign-in: the groups of the claim are in id" "200046 200100 200200" 2000 inside id -G user00046
    control sign-in user00046 GRP200
    until_is "sign-in: a group that the claim no longer lists is gone from id" "200046 200200" 2000 inside id -G user00046
fi

# ---------------------------------------------------------------- faults

kill -s STOP -- "-$SERVICE_GROUP"
# Before anybody has noticed, when whoever asks waits.
within "service frozen: root logs in by ssh as ever, in $root_logs_in ms" $((root_logs_in + 500)) login root id
within "service frozen: su - root" 300 inside su - root -c id
until_is "service frozen: the breaker opens" 3 5000 status_of inside rollcall-node status
within "service frozen: a known user" 100 inside getent passwd user05000
is "service frozen: a known user is found" 100 sh -c "chroot '$ROOT' getent passwd 100100 | cut -d: -f3 | tail -c 4"
within "service frozen: id of a local account" 100 inside id local
within "service frozen: id root" 100 inside id root
within "service frozen: an unknown name" 100 inside getent passwd nobody-here
# shellcheck disable=SC2016  # expanded by the inner shell
inside sh -c 'mkdir -p /tmp/strangers; for i in $(seq 300000 300999); do : > /tmp/strangers/$i; chown $i /tmp/strangers/$i; done'
within "service frozen: ls of 1,000 unknown uids" 2000 inside ls -l /tmp/strangers
is "service frozen: su still works" user00044 inside su user00044 -c whoami
is "service frozen: login by ssh still works" user00042 login user00042 whoami
within "bypass for dbus: an unknown name" 100 chroot "$ROOT" env SYSTEMD_NSS_DYNAMIC_BYPASS=1 getent passwd nobody-here
kill -s CONT -- "-$SERVICE_GROUP"
until_is "the breaker closes again" 0 5000 status_of inside rollcall-node status

# The copy on disk is written in the first round with a change, and then once a minute: a new start takes the keys that came since into it.
kill -s TERM "$AGENT"
until_is "agent ended: its socket refuses" 4 10000 status_of inside rollcall-node status
start_agent
until_is "the copy on disk has the keys" 0 10000 status_of grep -qF "$(cut -d' ' -f2 "$WORK/key.pub")" "$ROOT/var/cache/rollcall/directory.json"
kill -s KILL "$AGENT"
until_is "agent dead: its socket refuses" 4 10000 status_of inside rollcall-node status
is "agent dead: a known user is found" user00045 sh -c "chroot '$ROOT' getent passwd 100045 | cut -d: -f1"
is "agent dead: an unknown name is asked of the service" 2 status_of inside getent passwd nobody-here

kill -s KILL -- "-$SERVICE_GROUP"
rm -f "$ROOT/run/rollcall/nss.map" "$ROOT/run/rollcall/node.sock"
inside rollcall-node > "$WORK/agent2.log" 2>&1 &
disown
until_is "restart without network: everybody is known from the copy on disk" user00046 5000 sh -c "chroot '$ROOT' getent passwd 100046 | cut -d: -f1"
is "restart without network: all users are listed" 10005 sh -c "chroot '$ROOT' getent passwd | wc -l"
is "restart without network: login by ssh" user00042 login user00042 whoami

rm "$ROOT/etc/rstudio/workbench-nss.conf"
until_is "no configuration any more: the map is gone" 2 10000 status_of inside getent passwd user00077

[[ $FAILED -eq 0 ]] || head -n 40 "$WORK"/*.log "$ROOT/tmp/sshd.log" || true
echo "$((COUNT - FAILED)) passed, $FAILED failed"
[[ $FAILED -eq 0 ]]
