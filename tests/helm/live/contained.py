"""A container of an OCI layout without an engine: layers unpacked, a read-only root, the image's user, the given mounts."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import tarfile


def blob(layout, descriptor):
    return layout / "blobs" / "sha256" / descriptor["digest"].removeprefix("sha256:")


def unpack(layout, root):
    """Puts the layers of the layout's only manifest into `root` and returns the image's configuration."""
    [manifest] = json.loads((layout / "index.json").read_text())["manifests"]
    manifest = json.loads(blob(layout, manifest).read_text())
    for layer in manifest["layers"]:
        with tarfile.open(blob(layout, layer)) as archive:
            assert not any("/.wh." in f"/{name}" for name in archive.getnames()), "a layer takes away what another brought"
            archive.extractall(root, filter="tar")
    (root / "tmp").chmod(0o1777)
    return json.loads(blob(layout, manifest["config"]).read_text())["config"]


# The last steps into a container, by its own root's Python: the capabilities' bounding set is emptied, so that what is
# executed has none even as root. `warnings` is what execvp imports later, when Python is out of sight.
ENTER = """
import ctypes, os, sys, warnings
root, user, *command = sys.argv[1:]
del os.environ["ENTER"]
uid, gid = map(int, user.split(":"))
os.chroot(root)
os.chdir("/")
prctl = ctypes.CDLL(None).prctl
for capability in range(64):
    prctl(24, capability, 0, 0, 0)
prctl(38, 1, 0, 0, 0)
os.setgroups([gid])
os.setresgid(gid, gid, gid)
os.setresuid(uid, uid, uid)
os.execvp(command[0], command)
"""
DEVICES = ("null", "zero", "urandom")


def command_in(root, user, command, mounts=(), read_only=True):
    """The command line that runs `command` in `root` as `user` (`uid:gid`) with `mounts`, (source, target, read-only). It is
    process 1 of its namespace, which ignores signals that it does not ask for."""
    script = ["set -e", f"mount --bind {root} {root}", f"mount -t tmpfs none {root}/dev"]
    for name in DEVICES:
        script += [f"touch {root}/dev/{name}", f"mount --bind /dev/{name} {root}/dev/{name}"]
    script += [f"mount -o remount,bind,ro {root}"] if read_only else []
    for source, target, fixed in mounts:
        script += [f"mount --bind {source} {root}{target}"]
        script += [f"mount -o remount,bind,ro {root}{target}"] if fixed else []
    script.append(f'exec {sys.executable} -c "$ENTER" {root} {user} "$@"')
    return ["env", f"ENTER={ENTER}", "unshare", "--mount", "--pid", "--fork", "sh", "-c", "\n".join(script), "container", *command]


class Container:
    """One process of the image under `root`; `mounts` are (source, target, read-only)."""

    def __init__(self, root, config, command, environment, mounts, log):
        variables = dict(pair.split("=", 1) for pair in config["Env"]) | environment
        self.log = log
        with open(log, "ab") as file:
            self.process = subprocess.Popen(command_in(root, config["User"], command, mounts),
                                            env={"PATH": "/usr/bin:/usr/sbin:/bin:/sbin"} | {
                                                name: value for name, value in variables.items() if name != "PATH"},
                                            stdout=file, stderr=file)

    def first(self):
        """The process number, here, of what is process 1 there; None when it has ended."""
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        found = children.read_text().split() if children.exists() else []
        return int(found[0]) if found else None

    def identity(self):
        """User ids, group ids, effective and bounding capabilities, whether privileges may be gained: as the kernel tells."""
        status = dict(line.split(":\t", 1) for line in pathlib.Path(f"/proc/{self.first()}/status").read_text().splitlines()
                      if ":\t" in line)
        return (*(status[name].split() for name in ("Uid", "Gid")), status["CapEff"], status["CapBnd"], status["NoNewPrivs"])

    def signal(self):
        """SIGTERM."""
        os.kill(self.first(), signal.SIGTERM)

    def terminate(self, seconds):
        """SIGTERM, and the exit status that comes within the seconds."""
        self.signal()
        return self.process.wait(seconds)

    def kill(self):
        """Ends it, if it has not ended."""
        if first := self.first():
            os.kill(first, signal.SIGKILL)
        self.process.wait(10)
