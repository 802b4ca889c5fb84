"""An upgrade changes nothing that Kubernetes cannot change, and nothing that nobody meant: names and selectors stay."""

import pathlib
import shutil
import tempfile
import unittest

import rendering
import yaml

IDENTITIES = rendering.ROOT / "tests" / "helm" / "identities.yaml"


def identities(found):
    """What must not change between releases, by object: that it exists, and its immutable fields."""
    kept = {}
    for one in found:
        # The name of the migrating Job changes with what it runs, on purpose.
        if one["kind"] == "Job":
            continue
        spec = one.get("spec", {})
        fields = {}
        if one["kind"] in ("Deployment", "DaemonSet"):
            fields["selector"] = spec["selector"]["matchLabels"]
        if one["kind"] == "Service":
            fields = {"selector": spec["selector"], "clusterIP": spec.get("clusterIP"),
                      "ports": {port["name"]: port["port"] for port in spec["ports"]}}
        if one["kind"] in ("ConfigMap", "Secret"):
            fields["keys"] = sorted(one["data"])
        kept[f"{one['apiVersion']} {rendering.title(one)}"] = fields
    return kept


class Upgrade(unittest.TestCase):
    def test_names_selectors_and_ports_are_those_of_the_last_release(self):
        recorded = yaml.safe_load(IDENTITIES.read_text())
        for path in rendering.SITUATIONS:
            with self.subTest(values=path.name):
                self.assertEqual(identities(rendering.situation(path)), recorded[path.name])

    def test_rendering_twice_gives_the_same(self):
        for path in rendering.SITUATIONS:
            with self.subTest(values=path.name):
                self.assertEqual(rendering.text(path), rendering.text(path))

    def test_a_new_version_changes_version_labels_and_images_only(self):
        """What `helm upgrade` would change from one version of the chart to the next with the same values."""
        with tempfile.TemporaryDirectory() as folder:
            copy = pathlib.Path(folder) / "helm"
            shutil.copytree(rendering.CHART, copy)
            manifest = copy / "Chart.yaml"
            manifest.write_text(manifest.read_text().replace("0.1.0", "0.2.0"))
            arguments = ["-n", rendering.NAMESPACE, "-f", rendering.MINIMAL, "--kube-version", rendering.KUBERNETES]
            old = rendering.helm("template", "rollcall", rendering.CHART, *arguments).splitlines()
            new = rendering.helm("template", "rollcall", copy, *arguments).splitlines()
        self.assertEqual(len(old), len(new))
        changed = {before.split(":", 1)[0].strip() for before, after in zip(old, new) if before != after}
        self.assertEqual(changed, {"app.kubernetes.io/version", "helm.sh/chart", "image"})
