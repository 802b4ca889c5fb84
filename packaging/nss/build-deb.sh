#!/bin/sh
# build-deb.sh BUILD_DIR OUT_DIR VERSION: makes rollcall-node_VERSION_ARCH.deb from what `cargo build --profile nss` has left in BUILD_DIR.
set -eu
build=${1:?build folder} out=${2:?output folder} version=${3:?version}
here=$(cd "$(dirname "$0")" && pwd)
arch=$(dpkg --print-architecture)
triplet=$(dpkg-architecture -qDEB_HOST_MULTIARCH 2> /dev/null || cc -print-multiarch)
[ -n "$triplet" ] || { echo "build-deb.sh: no multiarch triplet" >&2; exit 1; }
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
chmod 755 "$root"
lib=$root/usr/lib/$triplet
install -D -m 644 "$build/libnss_pwb.so" "$lib/libnss_pwb.so.2"
for object in libnss_pwb_full.so libnss_pwb_direct.so; do
    install -D -m 644 "$build/$object" "$lib/rollcall/$object"
done
install -D -m 755 "$build/rollcall-node" "$root/usr/sbin/rollcall-node"
install -D -m 755 "$here/nsswitch-edit.sh" "$root/usr/share/rollcall-node/nsswitch-edit.sh"
for unit in rollcall-node.service rollcall-nss-conf.service; do
    install -D -m 644 "$here/$unit" "$root/lib/systemd/system/$unit"
done
install -D -m 644 "$here/tmpfiles.conf" "$root/usr/lib/tmpfiles.d/rollcall-node.conf"
install -D -m 644 "$here/apparmor-nameservice" "$root/etc/apparmor.d/abstractions/nameservice.d/rollcall"
install -d -m 755 "$root/usr/share/man/man8"
gzip -9nc "$here/rollcall-node.8" > "$root/usr/share/man/man8/rollcall-node.8.gz"
install -D -m 644 "$here/../../nss/README.md" "$root/usr/share/doc/rollcall-node/README.md"
# The newest glibc symbol that its files need is the oldest glibc they run on.
glibc=$(cat "$lib/libnss_pwb.so.2" "$lib"/rollcall/* "$root/usr/sbin/rollcall-node" \
    | grep -ao 'GLIBC_2\.[0-9]*' | sort -uV | tail -n 1 | cut -d_ -f2)
mkdir "$root/DEBIAN"
sed "s/@VERSION@/$version/; s/@ARCH@/$arch/; s/@GLIBC@/$glibc/" "$here/debian/control.in" > "$root/DEBIAN/control"
for file in postinst prerm postrm; do install -m 755 "$here/debian/$file" "$root/DEBIAN/$file"; done
for file in triggers conffiles; do install -m 644 "$here/debian/$file" "$root/DEBIAN/$file"; done
mkdir -p "$out"
dpkg-deb --root-owner-group --build "$root" "$out/rollcall-node_${version}_$arch.deb"
