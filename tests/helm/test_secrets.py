"""A secret is in a Secret, and reaches the service as a file."""

import base64
import unittest

import rendering

INLINE = rendering.CHART / "ci" / "inline-secrets.yaml"


class Secrets(unittest.TestCase):
    def test_no_manifest_but_a_secret_holds_a_secret(self):
        for found in rendering.situation(INLINE):
            with self.subTest(object=rendering.title(found)):
                hidden = str(found) if found["kind"] != "Secret" else ""
                self.assertNotIn("SECRET-", hidden)
                self.assertNotIn(base64.b64encode(b"SECRET-0123456789").decode()[:16], hidden)

    def test_inline_secrets_arrive_unharmed(self):
        secret = rendering.named(rendering.situation(INLINE), "Secret", "rollcall-openid-client")
        text = base64.b64decode(secret["data"]["openid-client-secret"]).decode()
        self.assertEqual(text, "client-id=rollcall\nclient-secret=SECRET-'quoted; 100% $(HOME)\n")

    def test_passwords_never_are_in_the_environment(self):
        for path in rendering.SITUATIONS:
            for found, pod in rendering.workloads(rendering.situation(path)):
                with self.subTest(values=path.name, workload=rendering.title(found)):
                    for container in pod["spec"]["containers"]:
                        for variable in container.get("env", []):
                            key = variable.get("valueFrom", {}).get("secretKeyRef", {}).get("key", "")
                            self.assertNotIn("password", key)
                            self.assertNotIn("uri", key)
                            self.assertNotIn("password=", variable.get("value", ""))

    def test_every_file_that_is_named_is_mounted(self):
        for path in rendering.SITUATIONS:
            found = rendering.situation(path)
            config = rendering.named(found, "ConfigMap", "rollcall")["data"]["rollcall.conf"]
            named = [line.split("=", 1)[1] for line in config.splitlines() if "-file=" in line or "-path=/run" in line]
            for one, pod in rendering.workloads(found):
                if one["kind"] == "DaemonSet":
                    continue
                with self.subTest(values=path.name, workload=rendering.title(one)):
                    variables = [variable["value"] for variable in pod["spec"]["containers"][0]["env"]
                                 if variable["name"].endswith("_FILE")]
                    volume = next(volume for volume in pod["spec"]["volumes"] if volume["name"] == "secrets")
                    files = [f"/run/secrets/rollcall/{item['path']}" for source in volume["projected"]["sources"]
                             for item in next(iter(source.values()))["items"]]
                    self.assertEqual(len(files), len(set(files)), "two sources for one file")
                    self.assertLessEqual(set(named + variables), set(files))
                    self.assertEqual(volume["projected"]["defaultMode"], 0o440)

    def test_the_defaults_hold_no_credential(self):
        self.assertEqual([one for one in rendering.situation(rendering.MINIMAL) if one["kind"] == "Secret"], [])
