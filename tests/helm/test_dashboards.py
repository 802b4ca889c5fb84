"""Dashboards work with any data source and release, say what they show, and ask only for metrics that exist."""

import json
import re
import subprocess
import unittest

import rendering
import yaml
from test_alerts import PROMTOOL, unknown_metrics

DASHBOARDS = {path.stem: json.loads(path.read_text()) for path in sorted((rendering.CHART / "dashboards").glob("*.json"))}


def expressions(dashboard):
    return [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]


class Dashboards(unittest.TestCase):
    def every(self):
        for name, dashboard in DASHBOARDS.items():
            with self.subTest(dashboard=name):
                yield dashboard

    def test_there_is_one_for_each_audience(self):
        self.assertEqual(set(DASHBOARDS), {"overview", "scim", "sign-in", "nss", "database"})

    def test_data_source_job_and_instance_are_variables(self):
        for dashboard in self.every():
            names = [variable["name"] for variable in dashboard["templating"]["list"]]
            self.assertEqual(names, ["datasource", "job", "instance"])
            for panel in dashboard["panels"]:
                for holder in (panel, *panel["targets"]):
                    self.assertEqual(holder["datasource"], {"type": "prometheus", "uid": "$datasource"})

    def test_panels_have_title_description_and_unit(self):
        for dashboard in self.every():
            self.assertTrue(dashboard["description"])
            titles = [panel["title"] for panel in dashboard["panels"]]
            self.assertEqual(len(titles), len(set(titles)))
            for panel in dashboard["panels"]:
                self.assertTrue(panel["title"] and panel["description"].endswith("."))
                self.assertTrue(panel["fieldConfig"]["defaults"]["unit"])

    def test_panels_do_not_overlap(self):
        for dashboard in self.every():
            taken = set()
            for panel in dashboard["panels"]:
                grid = panel["gridPos"]
                cells = {(x, y) for x in range(grid["x"], grid["x"] + grid["w"])
                         for y in range(grid["y"], grid["y"] + grid["h"])}
                self.assertFalse(cells & taken)
                self.assertLessEqual(grid["x"] + grid["w"], 24)
                taken |= cells

    def test_dashboards_are_not_editable(self):
        for dashboard in self.every():
            self.assertIs(dashboard["editable"], False)

    def test_rates_use_the_rate_interval_and_every_selector_the_variables(self):
        for dashboard in self.every():
            for expression in expressions(dashboard):
                self.assertEqual(re.findall(r"\brate\([^][]*\[(?!\$__rate_interval\])", expression), [])
                for selector in re.findall(r"rollcall_\w+(\{[^}]*\})?", expression):
                    self.assertIn('job=~"$job"', selector)
                    self.assertIn('instance=~"$instance"', selector)

    def test_expressions_name_only_metrics_that_exist(self):
        for dashboard in self.every():
            for expression in expressions(dashboard):
                self.assertEqual(unknown_metrics(expression), set())

    def test_every_expression_parses(self):
        for name, dashboard in DASHBOARDS.items():
            with self.subTest(dashboard=name):
                rules = [{"record": f"dashboard:panel:number{number}", "expr": expression.replace("$__rate_interval", "5m")}
                         for number, expression in enumerate(expressions(dashboard))]
                path = rendering.CACHE / "expressions.yaml"
                path.write_text(yaml.safe_dump({"groups": [{"name": name, "rules": rules}]}))
                done = subprocess.run([PROMTOOL, "check", "rules", str(path)], capture_output=True, text=True, check=False)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_the_sidecar_gets_each_dashboard_as_it_is(self):
        found = {one["metadata"]["name"]: one for one in rendering.situation(rendering.EVERYTHING)
                 if one["kind"] == "ConfigMap"}
        for name, dashboard in DASHBOARDS.items():
            with self.subTest(dashboard=name):
                shipped = found[f"rollcall-{name}"]
                self.assertEqual(shipped["metadata"]["labels"]["grafana_dashboard"], "1")
                self.assertEqual(json.loads(shipped["data"][f"{name}.json"]), dashboard)

    def test_every_dashboard_has_its_picture(self):
        for name in DASHBOARDS:
            with self.subTest(dashboard=name):
                picture = rendering.CHART / "dashboards" / f"{name}.png"
                self.assertEqual(picture.read_bytes()[:8], b"\x89PNG\r\n\x1a\n")
