"""What holds for every pod of the chart in every situation: Pod Security "restricted", probes, limits, labels."""

import json
import subprocess
import unittest

import rendering
import yaml
from kubeconform_schemas import VERSIONS

LABELS = ["app.kubernetes.io/name", "app.kubernetes.io/instance", "app.kubernetes.io/component", "helm.sh/chart",
          "app.kubernetes.io/version", "app.kubernetes.io/managed-by"]
# The kinds of volume of Pod Security Standards, restricted.
VOLUMES = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}


def containers(pod):
    return pod["spec"].get("initContainers", []) + pod["spec"]["containers"]


class Workloads(unittest.TestCase):
    def every(self):
        for path in rendering.SITUATIONS:
            for found, pod in rendering.workloads(rendering.situation(path)):
                with self.subTest(values=path.name, workload=rendering.title(found)):
                    yield found, pod

    def of_the_service(self):
        """All but the node agent, which is root of its node by purpose."""
        return ((found, pod) for found, pod in self.every() if found["kind"] != "DaemonSet")

    def test_pods_are_restricted(self):
        for _, pod in self.of_the_service():
            spec = pod["spec"]
            self.assertIs(spec["securityContext"]["runAsNonRoot"], True)
            self.assertGreater(spec["securityContext"]["runAsUser"], 0)
            self.assertEqual(spec["securityContext"]["seccompProfile"], {"type": "RuntimeDefault"})
            for volume in spec["volumes"]:
                self.assertLessEqual(set(volume) - {"name"}, VOLUMES)
            for field in ("hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace"):
                self.assertNotIn(field, spec)
            for container in containers(pod):
                self.assertNotIn("hostPort", str(container.get("ports")))

    def judged(self, pods):
        """The strictest Pod Security Standard at which Kubernetes' own code admits each pod, in every supported version."""
        given = [{"name": name, "metadata": pod["metadata"], "spec": pod["spec"]} for name, pod in pods.items()]
        done = subprocess.run([rendering.CACHE / "bin" / "pod-security", *VERSIONS], input=json.dumps(given),
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return {one["name"]: one for one in map(json.loads, done.stdout.splitlines())}

    def test_kubernetes_own_admission_code_finds_them_restricted(self):
        pods = {f"{path.name} {rendering.title(found)}": pod for path in rendering.SITUATIONS
                for found, pod in rendering.workloads(rendering.situation(path))}
        for name, verdict in self.judged(pods).items():
            with self.subTest(workload=name):
                # The agent's installer writes to the node, which no level but privileged allows: hostPath.
                expected = "privileged" if "DaemonSet/" in name else "restricted"
                self.assertEqual(verdict["level"], expected, verdict["reason"])

    def test_the_agent_fails_the_standards_by_host_paths_and_root_alone(self):
        agent = rendering.pod_of(next(one for one in rendering.situation(rendering.EVERYTHING) if one["kind"] == "DaemonSet"))
        agent = json.loads(json.dumps({"metadata": agent["metadata"], "spec": agent["spec"]}))
        agent["spec"]["volumes"] = [one for one in agent["spec"]["volumes"] if "hostPath" not in one]
        self.assertEqual(self.judged({"agent": agent})["agent"]["level"], "baseline")
        for container in containers(agent):
            container["securityContext"] |= {"runAsUser": 1, "runAsNonRoot": True}
        self.assertEqual(self.judged({"agent": agent})["agent"]["level"], "restricted")

    def test_the_containers_that_go_into_workbenchs_pods_are_restricted(self):
        values = yaml.safe_load((rendering.CHART / "ci" / "workbench" / "values.yaml").read_text())
        pod = {"metadata": {"name": "init"}, "spec": {"containers": values["initContainers"]}}
        self.assertEqual(self.judged({"init": pod})["init"]["level"], "restricted")

    def test_no_pod_gains_privileges(self):
        for _, pod in self.every():
            for container in containers(pod):
                context = container["securityContext"]
                self.assertIs(context["allowPrivilegeEscalation"], False)
                self.assertEqual(context["capabilities"], {"drop": ["ALL"]})
                self.assertNotIn("privileged", context)

    def test_root_file_systems_are_read_only(self):
        for _, pod in self.every():
            for container in containers(pod):
                self.assertIs(container["securityContext"]["readOnlyRootFilesystem"], True)

    def test_pods_hold_no_token_of_the_cluster(self):
        for _, pod in self.every():
            self.assertIs(pod["spec"]["automountServiceAccountToken"], False)
            self.assertIs(pod["spec"]["enableServiceLinks"], False)

    def test_requests_and_a_memory_limit_are_set(self):
        for _, pod in self.every():
            for container in containers(pod):
                self.assertLessEqual({"cpu", "memory"}, set(container["resources"]["requests"]))
                self.assertIn("memory", container["resources"]["limits"])

    def test_images_are_pinned(self):
        for _, pod in self.every():
            for container in containers(pod):
                self.assertRegex(container["image"], r"(@sha256:[0-9a-f]{64}|:[0-9][A-Za-z0-9._-]*)$")

    def test_servers_have_probes_and_only_the_two_that_exist(self):
        for found, pod in self.of_the_service():
            probes = {name: container[name]["httpGet"]["path"] for container in containers(pod)
                      for name in ("startupProbe", "livenessProbe", "readinessProbe") if name in container}
            expected = {"startupProbe": "/livez", "livenessProbe": "/livez", "readinessProbe": "/readyz"}
            self.assertEqual(probes, expected if found["kind"] == "Deployment" else {})

    def test_the_grace_period_covers_drain_and_pre_stop(self):
        for found, pod in self.of_the_service():
            if found["kind"] == "Deployment":
                stop = pod["spec"]["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
                drain = 30 if "managed" not in self._subtest.params["values"] else 12.5
                self.assertGreaterEqual(pod["spec"]["terminationGracePeriodSeconds"], stop + drain + 5)

    def test_ports_of_probes_and_services_exist(self):
        for path in rendering.SITUATIONS:
            found = rendering.situation(path)
            for service in (one for one in found if one["kind"] == "Service"):
                with self.subTest(values=path.name, service=rendering.title(service)):
                    wanted = service["spec"]["selector"]
                    chosen = [pod for one, pod in rendering.workloads(found)
                              if one["kind"] == "Deployment" and wanted.items() <= pod["metadata"]["labels"].items()]
                    self.assertTrue(chosen, "the Service selects no pod")
                    for pod in chosen:
                        names = {port["name"] for port in pod["spec"]["containers"][0]["ports"]}
                        self.assertLessEqual({port["targetPort"] for port in service["spec"]["ports"]}, names)

    def test_a_service_for_clients_never_selects_another_component(self):
        for path in rendering.SITUATIONS:
            for service in (one for one in rendering.situation(path) if one["kind"] == "Service"):
                with self.subTest(values=path.name, service=rendering.title(service)):
                    headless = service["spec"].get("clusterIP") == "None"
                    self.assertEqual("app.kubernetes.io/component" in service["spec"]["selector"], not headless)

    def test_mounts_have_volumes(self):
        for _, pod in self.every():
            volumes = {volume["name"] for volume in pod["spec"]["volumes"]}
            for container in containers(pod):
                self.assertLessEqual({mount["name"] for mount in container["volumeMounts"]}, volumes)

    def test_every_object_has_the_recommended_labels(self):
        for path in rendering.SITUATIONS:
            for found in rendering.situation(path):
                if found["metadata"]["name"].endswith(("-extra", "-text")):
                    continue
                with self.subTest(values=path.name, object=rendering.title(found)):
                    self.assertLessEqual(set(LABELS), set(found["metadata"]["labels"]))

    def test_names_fit_however_long_the_release_is(self):
        for found in rendering.objects(rendering.EVERYTHING, release="r" * 53):
            with self.subTest(object=rendering.title(found)):
                self.assertLessEqual(len(found["metadata"]["name"]), 52 if found["kind"] == "CronJob" else 63)

    def test_pods_roll_when_their_configuration_changes(self):
        def sums(override):
            found = rendering.objects(rendering.CHART / "ci" / "inline-secrets.yaml", overrides=[override])
            return rendering.pod_of(rendering.named(found, "Deployment", "rollcall"))["metadata"]["annotations"]

        before = sums({})
        self.assertEqual(before, sums({}))
        self.assertNotEqual(before, sums({"config": {"log-level": "debug"}}))
        self.assertNotEqual(before, sums({"openid": {"clientSecret": "another"}}))
