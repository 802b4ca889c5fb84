"""A container of an OCI layout without an engine: layers unpacked, a read-only root, the image's user, the given mounts."""

import json
import pathlib
import signal
import subprocess
import tarfile


def blob(layout, descriptor):
    return layout / "blobs" / "sha256" / descriptor["digest"].removeprefix("sha256:")


def unpack(layout, root):
    """Puts the layers of the layout's only manifest into `root` and returns the image's configuration."""
    [manifest] = json.loads((layout / "index.json").read_text())["manifests"]
    manifest = json.loads(blob(layout, manifest).read_text())
    for layer in manifest["layers"]:
        with tarfile.open(blob(layout, layer)) as archive:
            archive.extractall(root, filter="tar")
    (root / "tmp").chmod(0o1777)
    return json.loads(blob(layout, manifest["config"]).read_text())["config"]


class Container:
    """One process of the image under `root`; `mounts` are (source, target, read-only)."""

    def __init__(self, root, config, arguments, environment, mounts, log):
        user = config["User"]
        script = ["set -e", f"mount --bind {root} {root}", f"mount -o remount,bind,ro {root}"]
        for source, target, read_only in mounts:
            script += [f"mount --bind {source} {root}{target}"]
            script += [f"mount -o remount,bind,ro {root}{target}"] if read_only else []
        # The group of the mounts, as fsGroup gives it, and nothing else.
        script.append(f'exec setpriv --no-new-privs chroot --userspec={user} --groups={user.split(":")[1]} {root} "$@"')
        command = [*config["Entrypoint"], *arguments]
        variables = dict(pair.split("=", 1) for pair in config["Env"]) | environment
        self.log = log
        with open(log, "ab") as file:
            self.process = subprocess.Popen(["unshare", "--mount", "sh", "-c", "\n".join(script), "container", *command],
                                            env={"PATH": "/usr/bin:/usr/sbin:/bin:/sbin"} | {
                                                name: value for name, value in variables.items() if name != "PATH"},
                                            stdout=file, stderr=file)

    def identity(self):
        """User ids, group ids and effective capabilities, as the kernel tells them."""
        status = dict(line.split(":\t", 1) for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
                      if ":\t" in line)
        return status["Uid"].split(), status["Gid"].split(), status["CapEff"], status["NoNewPrivs"]

    def terminate(self, seconds):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)
