"""`helm upgrade` with the values of the last recorded release changes nothing that nobody meant, and nothing that Kubernetes
cannot change."""

import pathlib
import re
import shutil
import tempfile
import unittest

import releases
import rendering
import yaml

# The newest record: the release that an upgrade comes from.
LAST = max((path for path in releases.FOLDER.iterdir() if path.is_dir()),
           key=lambda path: [int(part) for part in path.name.split(".")])
MEANT = [(re.compile(one["line"]), one["why"]) for one in yaml.safe_load((releases.FOLDER / "meant.yaml").read_text())]
# What Kubernetes refuses to change, or what clients and nodes rely on: never meant.
FIXED = re.compile(r" (Deployment|DaemonSet)/\S+ spec\.selector\.| Service/\S+ spec\.(selector|clusterIP|ports\[[a-z]+\]\.port)\b")


class Upgrade(unittest.TestCase):
    def differences(self):
        for path in sorted(LAST.glob("*.values.yaml")):
            situation = path.name.removesuffix(".values.yaml")
            with self.subTest(values=situation):
                yield releases.difference(LAST, situation)

    def test_nothing_changes_that_is_not_meant(self):
        for gone, new in self.differences():
            unmeant = [line for line in (*(f"- {one}" for one in gone), *(f"+ {one}" for one in new))
                       if not any(pattern.search(line[2:]) for pattern, _ in MEANT)]
            self.assertEqual(unmeant, [], f"since {LAST.name}: list it in releases/meant.yaml, or, before that release is "
                                          "out, record it anew with releases.py")

    def test_what_cannot_be_changed_in_a_cluster_stays(self):
        for gone, _ in self.differences():
            self.assertEqual([line for line in gone if FIXED.search(line)], [])

    def test_every_meant_difference_is_one(self):
        lines = [line for gone, new in self.differences() for line in (*gone, *new)]
        for pattern, why in MEANT:
            with self.subTest(why=why):
                self.assertTrue(any(pattern.search(line) for line in lines))

    def test_a_changed_field_is_noticed(self):
        before = rendering.situation(rendering.EVERYTHING)
        after = rendering.objects(rendering.EVERYTHING, overrides=["service: {port: 8088}\npreStopSeconds: 7"])
        changed = set(releases.lines(after)) ^ set(releases.lines(before))
        self.assertTrue(any(FIXED.search(line) and "Service/rollcall " in line for line in changed))
        self.assertTrue(any("Deployment/rollcall " in line and line.endswith("preStop.sleep.seconds = 7") for line in changed))

    def test_every_situation_is_recorded(self):
        if LAST.name == releases.version():
            self.assertEqual({path.name.removesuffix(".values.yaml") for path in LAST.glob("*.values.yaml")},
                             {path.stem for path in rendering.SITUATIONS})

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
