"""Every object is valid for each Kubernetes from 1.31 to 1.35, and for the operators whose kinds it uses."""

import json
import subprocess
import unittest

import kubernetes_validate
import rendering
from kubeconform_schemas import VERSIONS

CUSTOM = ("postgresql.cnpg.io/", "gateway.networking.k8s.io/", "monitoring.coreos.com/")


class Schemas(unittest.TestCase):
    def test_built_in_kinds_are_valid_in_every_version(self):
        for path in rendering.SITUATIONS:
            for version in VERSIONS:
                with self.subTest(values=path.name, kubernetes=version):
                    for found in rendering.objects(path, kubernetes=f"{version}.0"):
                        if not found["apiVersion"].startswith(CUSTOM):
                            kubernetes_validate.validate(found, version, strict=True)

    def kubeconform(self, version, manifests):
        """What kubeconform says of texts in strict mode: the results that are not valid, and how many it looked at."""
        schemas = rendering.CACHE / "schemas"
        done = subprocess.run(
            [rendering.CACHE / "bin" / "kubeconform", "-strict", "-output", "json", "-summary", "-kubernetes-version", f"{version}.0",
             "-schema-location", f"{schemas}/{{{{.NormalizedKubernetesVersion}}}}-standalone{{{{.StrictSuffix}}}}/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json",
             "-schema-location", f"{schemas}/{{{{.Group}}}}/{{{{.ResourceKind}}}}_{{{{.ResourceAPIVersion}}}}.json", "-"],
            input="\n---\n".join(manifests), capture_output=True, text=True, check=False)
        said = json.loads(done.stdout)
        return said.get("resources", []), said["summary"]

    def test_kubeconform_accepts_every_kind_in_every_version(self):
        for version in VERSIONS:
            with self.subTest(kubernetes=version):
                manifests = [rendering.text(path, kubernetes=f"{version}.0") for path in rendering.SITUATIONS]
                wrong, summary = self.kubeconform(version, manifests)
                self.assertEqual(wrong, [])
                self.assertEqual((summary["invalid"], summary["errors"], summary["skipped"]), (0, 0, 0))
                self.assertEqual(summary["valid"], sum(len(rendering.objects(path)) for path in rendering.SITUATIONS))

    def test_a_wrong_value_in_an_object_of_an_operator_is_noticed(self):
        found = rendering.situation(rendering.EVERYTHING)
        cluster = json.loads(json.dumps(next(one for one in found if one["kind"] == "Cluster")))
        cluster["spec"]["postgresql"]["synchronous"]["method"] = "some"
        self.assertEqual(self.kubeconform("1.33", [json.dumps(cluster)])[1]["invalid"], 1)
        del cluster["spec"]["postgresql"]
        cluster["spec"]["instances"] = "three"
        self.assertEqual(self.kubeconform("1.33", [json.dumps(cluster)])[1]["invalid"], 1)

    def test_kubeconform_notices_a_misspelt_field_of_either_sort(self):
        found = json.loads(json.dumps(rendering.situation(rendering.EVERYTHING)))
        deployment = next(one for one in found if one["kind"] == "Deployment")
        deployment["spec"]["template"]["spec"]["containers"][0]["livenesProbe"] = {}
        cluster = next(one for one in found if one["kind"] == "Cluster")
        cluster["spec"]["instanses"] = 3
        wrong, _ = self.kubeconform("1.33", [json.dumps(deployment), json.dumps(cluster)])
        self.assertEqual({one["kind"] for one in wrong if one["status"] == "statusInvalid"}, {"Deployment", "Cluster"})
