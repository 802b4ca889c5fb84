"""Every object is valid for each Kubernetes from 1.31 to 1.35, and for the operators whose kinds it uses."""

import json
import subprocess
import unittest

import kubernetes_validate
import rendering

VERSIONS = ["1.31", "1.32", "1.33", "1.34", "1.35"]
CUSTOM = ("postgresql.cnpg.io/", "gateway.networking.k8s.io/", "monitoring.coreos.com/")


class Schemas(unittest.TestCase):
    def test_built_in_kinds_are_valid_in_every_version(self):
        for path in rendering.SITUATIONS:
            for version in VERSIONS:
                with self.subTest(values=path.name, kubernetes=version):
                    for found in rendering.objects(path, kubernetes=f"{version}.0"):
                        if not found["apiVersion"].startswith(CUSTOM):
                            kubernetes_validate.validate(found, version, strict=True)

    def test_kinds_of_operators_are_valid(self):
        for path in rendering.SITUATIONS:
            with self.subTest(values=path.name):
                self.check([one for one in rendering.situation(path) if one["apiVersion"].startswith(CUSTOM)])

    def test_a_wrong_object_of_an_operator_is_noticed(self):
        found = rendering.situation(rendering.EVERYTHING)
        cluster = json.loads(json.dumps(next(one for one in found if one["kind"] == "Cluster")))
        cluster["spec"]["postgresql"]["synchronous"]["method"] = "some"
        with self.assertRaises(AssertionError):
            self.check([cluster])
        del cluster["spec"]["postgresql"]
        cluster["spec"]["instances"] = "three"
        with self.assertRaises(AssertionError):
            self.check([cluster])

    def check(self, custom):
        done = subprocess.run(
            ["node", str(rendering.ROOT / "tests" / "helm" / "custom_kinds.mjs"), str(rendering.CACHE)],
            input=json.dumps(custom), capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
