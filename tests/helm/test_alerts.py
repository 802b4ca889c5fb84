"""Every alert is one file with unit tests and a runbook, and asks only for metrics that exist."""

import re
import shutil
import subprocess
import unittest

import rendering
import settings
import yaml

PROMTOOL = shutil.which("promtool") or str(rendering.CACHE / "bin" / "promtool")
ALERTS = sorted((rendering.CHART / "alerts").glob("*.yaml"))
RECORDS = sorted((rendering.CHART / "records").glob("*.yaml"))
TESTS = rendering.ROOT / "tests" / "helm" / "alerts"
# Metrics of others: Prometheus itself and CloudNativePG.
FOREIGN = {"up", "cnpg_pg_replication_streaming_replicas"}

def unknown_metrics(expression):
    """Names in an expression that neither the service, nor a recording rule, nor a known neighbour exports."""
    plain = re.sub(r'"(?:[^"\\]|\\.)*"', '""', expression)
    plain = re.sub(r"\{[^}]*\}|\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)", "", plain)
    named = set(re.findall(r"(?<![\w:.$])((?:rollcall[_:]|cnpg_|up\b)[\w:]*)", plain))
    recorded = {rule["record"] for path in RECORDS for group in yaml.safe_load(path.read_text())["groups"]
                for rule in group["rules"]}
    base = {re.sub(r"_(bucket|count|sum)$", "", name) for name in named - recorded - FOREIGN}
    return base - settings.metric_names()


def rule_of(path):
    groups = yaml.safe_load(path.read_text())["groups"]
    assert len(groups) == 1 and len(groups[0]["rules"]) == 1, f"{path.name}: more than one alert"
    return groups[0]["rules"][0]


class Alerts(unittest.TestCase):
    def promtool(self, *arguments):
        done = subprocess.run([PROMTOOL, *map(str, arguments)], capture_output=True, text=True, cwd=TESTS, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_rules_are_clean_under_promtools_lint(self):
        self.promtool("check", "rules", "--lint=all", "--lint-fatal", *ALERTS, *RECORDS)

    def test_unit_tests_pass(self):
        for path in ALERTS:
            with self.subTest(alert=path.stem):
                self.promtool("test", "rules", f"{path.stem}.yaml")

    def test_unit_tests_show_the_alert_firing_and_quiet(self):
        for path in ALERTS:
            with self.subTest(alert=path.stem):
                cases = [case["exp_alerts"] for test in yaml.safe_load((TESTS / path.name).read_text())["tests"]
                         for case in test["alert_rule_test"] if case["alertname"] == path.stem]
                self.assertTrue(any(cases), "no case in which it fires")
                self.assertFalse(all(cases), "no case in which it is quiet")

    def test_an_alert_says_what_and_how_bad_and_where_to_read_on(self):
        for path in ALERTS:
            with self.subTest(alert=path.stem):
                rule = rule_of(path)
                self.assertEqual(rule["alert"], path.stem)
                self.assertIn(rule["labels"]["severity"], ("page", "ticket"))
                self.assertLessEqual({"summary", "description", "runbook_url"}, set(rule["annotations"]))
                self.assertTrue(rule["annotations"]["runbook_url"].endswith(f"/{path.stem}.md"))

    def test_every_alert_has_a_runbook_and_every_runbook_an_alert(self):
        runbooks = {path.stem: path.read_text() for path in (rendering.CHART / "runbooks").glob("*.md")}
        self.assertEqual(set(runbooks), {path.stem for path in ALERTS})
        for name, text in runbooks.items():
            with self.subTest(runbook=name):
                for chapter in ("Meaning", "Impact", "Diagnosis", "Mitigation"):
                    self.assertRegex(text, rf"## {chapter}\n\n\S")
                quoted = " ".join(re.findall(r"`([^`]*rollcall_[^`]*)`", text))
                self.assertEqual(unknown_metrics(quoted), set())

    def test_alerts_ask_only_for_metrics_that_exist(self):
        for path in ALERTS + RECORDS:
            with self.subTest(rules=path.name):
                for group in yaml.safe_load(path.read_text())["groups"]:
                    for rule in group["rules"]:
                        self.assertEqual(unknown_metrics(rule["expr"]), set())

    def test_a_misspelt_metric_is_noticed(self):
        self.assertEqual(unknown_metrics('sum(rate(rollcall_db_eror_total{job="rollcall"}[5m])) by (job)'),
                         {"rollcall_db_eror_total"})

    def test_the_rendered_rules_watch_their_release_alone(self):
        rule = next(one for one in rendering.situation(rendering.EVERYTHING) if one["kind"] == "PrometheusRule")
        path = rendering.CACHE / "rendered-rules.yaml"
        path.write_text(yaml.safe_dump(rule["spec"]))
        self.promtool("check", "rules", "--lint=all", "--lint-fatal", path)
        rules = {one["alert"]: one for group in rule["spec"]["groups"] for one in group["rules"] if "alert" in one}
        self.assertEqual(set(rules), {path.stem for path in ALERTS} - {"RollcallRateLimited"})
        self.assertEqual(rules["RollcallIdPoolLow"]["labels"]["severity"], "page")
        self.assertEqual(rules["RollcallIdPoolLow"]["expr"], "rollcall_id_pool_remaining < 100000")
        for name, one in rules.items():
            if name != "RollcallIdPoolLow":
                with self.subTest(alert=name):
                    self.assertIn('namespace="people"', one["expr"])

    def test_a_database_of_one_server_is_not_told_that_it_lacks_a_standby(self):
        def alerts(instances):
            values = {"cnpg": {"enabled": True, "instances": instances}, "prometheusRule": {"enabled": True}}
            found = rendering.objects(rendering.CHART / "ci" / "cnpg.yaml", overrides=[values])
            spec = next(one for one in found if one["kind"] == "PrometheusRule")["spec"]
            return {one.get("alert") for group in spec["groups"] for one in group["rules"]}

        self.assertEqual(alerts(3) - alerts(1), {"RollcallNoSynchronousStandby"})

    def test_a_release_of_another_name_and_place_of_runbooks_are_followed(self):
        override = "prometheusRule: {enabled: true, runbookUrl: 'https://wiki.example.org/run'}"
        found = rendering.objects(overrides=[override], release="blue")
        text = str(next(one for one in found if one["kind"] == "PrometheusRule")["spec"])
        self.assertNotIn('job="rollcall"', text)
        self.assertIn('job="blue-rollcall"', text)
        self.assertIn("https://wiki.example.org/run/RollcallDown.md", text)
