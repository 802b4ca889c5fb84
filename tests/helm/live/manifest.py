"""What a kubelet makes of a pod of the chart: variables with their references resolved, volumes as folders."""

import os
import re


def environment(container, secrets):
    """The container's variables in order: a reference is looked up, `$(NAME)` expanded from those before."""
    found = {}
    for variable in container.get("env", []):
        if "valueFrom" in variable:
            reference = variable["valueFrom"]["secretKeyRef"]
            found[variable["name"]] = secrets[reference["name"]][reference["key"]]
        else:
            found[variable["name"]] = re.sub(r"\$\(([A-Za-z_][A-Za-z0-9_]*)\)",
                                             lambda match: found.get(match[1], match[0]), variable["value"])
    return found


def volumes(pod, folder, config_maps, secrets, host=None):
    """Each volume as a folder below `folder`, with the group and modes that fsGroup and defaultMode give; a hostPath is a
    folder of `host`."""
    group = pod["spec"].get("securityContext", {}).get("fsGroup", 0)
    made = {}
    for volume in pod["spec"]["volumes"]:
        if "hostPath" in volume:
            made[volume["name"]] = host / volume["hostPath"]["path"].lstrip("/")
            if volume["hostPath"]["type"] == "DirectoryOrCreate":
                made[volume["name"]].mkdir(parents=True, exist_ok=True)
            assert made[volume["name"]].is_dir(), volume
            continue
        place = folder / volume["name"]
        place.mkdir()
        files = {}
        if "configMap" in volume:
            files = config_maps[volume["configMap"]["name"]]
        for source in volume.get("projected", {}).get("sources", []):
            [(kind, reference)] = source.items()
            given = (secrets if kind == "secret" else config_maps)[reference["name"]]
            if "items" in reference:
                given = {item["path"]: given[item["key"]] for item in reference["items"]}
            files |= given
        for name, text in files.items():
            path = place / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            path.chmod(volume.get("projected", {}).get("defaultMode", 0o644))
            os.chown(path, 0, group)
        if "emptyDir" in volume:
            place.chmod(0o2777)
        made[volume["name"]] = place
    return made


def mounts(container, places):
    """The container's mounts: (source, target, read-only)."""
    return [(places[mount["name"]] / mount.get("subPath", ""), mount["mountPath"], mount.get("readOnly", False))
            for mount in container["volumeMounts"]]
