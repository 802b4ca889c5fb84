"""Recorded renderings of releases: what `helm upgrade` with a release's values would change, object by object, line by line.

`python releases.py` records the chart as it is under its version: at a release, and until the first one after each change.
A record has, for each file under helm/ci, the values and one line per field of every object. What differs with each
version (labels, tags, checksums) is left out, and so are the texts of dashboards and the expressions of alerts, which
change nothing that runs.
"""

import pathlib
import re
import shutil
import sys

import rendering
import yaml

FOLDER = pathlib.Path(__file__).resolve().parent / "releases"


def version():
    return yaml.safe_load((rendering.CHART / "Chart.yaml").read_text())["version"]


def fields(tree, path=""):
    """Each leaf below `tree` as (path, value); members of lists go by their names where they have them."""
    if isinstance(tree, dict) and tree:
        for key, value in tree.items():
            yield from fields(value, f"{path}.{key}" if path else str(key))
    elif isinstance(tree, list) and tree:
        for index, value in enumerate(tree):
            name = value.get("name", index) if isinstance(value, dict) else index
            yield from fields(value, f"{path}[{name}]")
    elif isinstance(tree, str) and "\n" in tree:
        for number, line in enumerate(tree.strip().splitlines()):
            yield f"{path}:{line.split('=')[0].strip() if '=' in line else number}", line
    else:
        yield path, tree


def lines(found):
    """The lines of a rendering, sorted."""
    made = set()
    for one in found:
        title = f"{one['apiVersion']} {rendering.title(one)}"
        if one["kind"] == "Job":
            # Its name changes with what it runs, on purpose.
            title = re.sub(r"-[0-9a-f]{8}$", "", title)
            one = one | {"metadata": one["metadata"] | {"name": ""}}
        if one["kind"] == "PrometheusRule":
            one = one | {"spec": {}}
        for path, value in fields(one):
            if re.search(r"checksum/|app\.kubernetes\.io/version|helm\.sh/chart|^data\.[a-z-]+\.json:", path):
                continue
            if path.endswith(".image"):
                value = re.sub(r":[^:/]*$", "", value)
            made.add(f"{title} {path} = {value!r}")
    return sorted(made)


def difference(record, situation):
    """Lines that a release had and the chart no longer renders from the same values, and lines that are new."""
    then = set((record / f"{situation}.txt").read_text().splitlines())
    now = set(lines(rendering.objects(record / f"{situation}.values.yaml")))
    return sorted(then - now), sorted(now - then)


def write():
    record = FOLDER / version()
    shutil.rmtree(record, ignore_errors=True)
    record.mkdir(parents=True)
    for path in rendering.SITUATIONS:
        shutil.copyfile(path, record / f"{path.stem}.values.yaml")
        (record / f"{path.stem}.txt").write_text("\n".join(lines(rendering.situation(path))) + "\n")


if __name__ == "__main__":
    write()
    print(f"recorded {version()}", file=sys.stderr)
