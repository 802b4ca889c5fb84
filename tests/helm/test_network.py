"""Who may reach what: nothing is open by accident, and the configuration binds what the Services lead to."""

import unittest

import rendering
import settings


class Network(unittest.TestCase):
    def policies(self, *overrides):
        found = rendering.objects(overrides=["networkPolicy: {enabled: true}", *overrides])
        return {one["metadata"]["name"]: one["spec"] for one in found if one["kind"] == "NetworkPolicy"}

    def test_an_empty_list_allows_nobody(self):
        for name, spec in self.policies().items():
            with self.subTest(policy=name):
                self.assertEqual(spec["policyTypes"], ["Ingress", "Egress"])
                self.assertFalse(spec["ingress"])

    def test_every_rule_has_peers_and_a_port(self):
        for name, spec in ((one["metadata"]["name"], one["spec"]) for one in
                           rendering.situation(rendering.EVERYTHING) if one["kind"] == "NetworkPolicy"):
            with self.subTest(policy=name):
                for rule in spec["ingress"]:
                    self.assertTrue(rule["from"])
                    self.assertEqual(len(rule["ports"]), 1)

    def test_every_pod_of_the_service_is_under_a_policy(self):
        found = rendering.situation(rendering.EVERYTHING)
        chosen = [one["spec"]["podSelector"]["matchLabels"] for one in found if one["kind"] == "NetworkPolicy"]
        for one, pod in rendering.workloads(found):
            if one["kind"] == "Deployment":
                with self.subTest(workload=rendering.title(one)):
                    self.assertTrue(any(labels.items() <= pod["metadata"]["labels"].items() for labels in chosen))

    def test_https_egress_is_open_only_for_sign_in(self):
        def ports(spec):
            return {port["port"] for rule in spec["egress"] for port in rule["ports"]}

        self.assertEqual(ports(self.policies()["rollcall-api"]), {53, 5432})
        signing = "{config: {auth-openid: 1, auth-openid-issuer: 'https://a'}, openid: {existingSecret: b}}"
        self.assertEqual(ports(self.policies(signing)["rollcall-api"]), {53, 5432, 443})
        self.assertEqual(ports(self.policies(signing)["rollcall-read"]), {53, 5432})

    def test_the_header_listener_is_closed_by_default(self):
        text = rendering.text()
        self.assertNotIn("proxy", text)

    def test_no_service_is_reachable_from_outside_by_default(self):
        for one in rendering.situation(rendering.MINIMAL):
            if one["kind"] == "Service":
                self.assertEqual(one["spec"]["type"], "ClusterIP")
            self.assertNotIn(one["kind"], ("Ingress", "HTTPRoute"))

    def test_the_configuration_file_holds_only_settings_of_the_service(self):
        rows = settings.settings()
        known = {row["name"] for row in rows if row["kind"] != "secret"}
        known |= {row["name"] + "-file" for row in rows if row["kind"] == "secret"}
        for path in rendering.SITUATIONS:
            with self.subTest(values=path.name):
                config = rendering.named(rendering.situation(path), "ConfigMap", "rollcall")["data"]["rollcall.conf"]
                names = [line.split("=", 1)[0] for line in config.splitlines()]
                self.assertEqual(len(names), len(set(names)))
                for name in names:
                    self.assertIn(name, known)
                self.assertIn("ops-listen=0.0.0.0:9090", config.splitlines())

    def test_large_numbers_keep_their_digits(self):
        override = "config: {user-provisioning-max-uid: 2147352575, scim-body-limit: 1048576, shutdown-drain: 0.5}"
        config = rendering.named(rendering.objects(overrides=[override]), "ConfigMap", "rollcall")["data"]["rollcall.conf"]
        for line in ("user-provisioning-max-uid=2147352575", "scim-body-limit=1048576", "shutdown-drain=0.5"):
            self.assertIn(line, config.splitlines())

    def test_environment_names_are_settings_of_the_service(self):
        known = {"ROLLCALL_" + name.upper().replace("-", "_") for row in settings.settings()
                 for name in (row["name"], row["name"] + "-file")} | {"ROLLCALL_CONFIG"}
        for path in rendering.SITUATIONS:
            for found, pod in rendering.workloads(rendering.situation(path)):
                with self.subTest(values=path.name, workload=rendering.title(found)):
                    names = {variable["name"] for variable in pod["spec"]["containers"][0].get("env", [])}
                    self.assertEqual({name for name in names if name.startswith("ROLLCALL_")} - known, set())
