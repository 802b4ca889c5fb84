"""Writes the schemas that kubeconform reads: the built-in kinds of each Kubernetes, and the operators' kinds from their CRDs.

usage: kubeconform_schemas.py TARGET CRD-FILE… (the built-in kinds come from the Python package kubernetes-validate)
"""

import json
import pathlib
import re
import sys

import kubernetes_validate
import yaml

VERSIONS = ["1.31", "1.32", "1.33", "1.34", "1.35"]


def built_in(target):
    """The strict schemas of each version; their references are made relative to the file, as kubeconform resolves them."""
    source = pathlib.Path(kubernetes_validate.__file__).parent / "kubernetes-json-schema"
    for version in VERSIONS:
        folder = target / f"v{version}.0-standalone-strict"
        folder.mkdir(parents=True, exist_ok=True)
        for path in (source / f"v{version}.0-local-strict").glob("*.json"):
            text = re.sub(r',?\s*"\$id": "https://kubernetes.io/api/[^"]*"', "", path.read_text())
            (folder / path.name).write_text(text.replace('"/api/_definitions.json#', '"_definitions.json#'))


def strict(schema):
    """Refuses in place what a schema does not name, unless it asks for unknown fields to be kept."""
    if isinstance(schema, list):
        for one in schema:
            strict(one)
    elif isinstance(schema, dict):
        if "properties" in schema and not schema.get("x-kubernetes-preserve-unknown-fields"):
            schema.setdefault("additionalProperties", False)
        for one in schema.values():
            strict(one)
    return schema


def of_operators(target, files):
    """Each version that a CRD serves, as `<group>/<kind>_<version>.json`; metadata is Kubernetes' own and left open."""
    for path in files:
        for crd in yaml.safe_load_all(pathlib.Path(path).read_text()):
            if not crd or crd.get("kind") != "CustomResourceDefinition":
                continue
            for version in crd["spec"]["versions"]:
                schema = strict(version["schema"]["openAPIV3Schema"])
                schema["properties"]["metadata"] = {"type": "object"}
                folder = target / crd["spec"]["group"]
                folder.mkdir(parents=True, exist_ok=True)
                (folder / f"{crd['spec']['names']['kind'].lower()}_{version['name']}.json").write_text(json.dumps(schema))


if __name__ == "__main__":
    built_in(pathlib.Path(sys.argv[1]))
    of_operators(pathlib.Path(sys.argv[1]), sys.argv[2:])
