"""Helm itself accepts the chart in every situation, and old and current Helm render the same."""

import unittest

import rendering
import yaml


class Lint(unittest.TestCase):
    def test_lint_is_clean_in_every_situation(self):
        for path in rendering.SITUATIONS:
            with self.subTest(values=path.name):
                printed = rendering.helm("lint", rendering.CHART, "--strict", "-f", path)
                self.assertIn("0 chart(s) failed", printed)

    def test_the_oldest_supported_helm_renders_the_same_objects(self):
        for path in rendering.SITUATIONS:
            with self.subTest(values=path.name):
                old = rendering.objects(path, binary=rendering.OLDEST)
                order = lambda found: (found["kind"], found["metadata"]["name"])
                self.assertEqual(sorted(old, key=order), sorted(rendering.situation(path), key=order))

    def test_each_switch_alone_renders(self):
        """Every value that is called `enabled`, turned over on top of the least values."""
        needs = {
            "proxy": "proxy: {trustedNetworks: [10.0.0.0/8]}\nnetworkPolicy: {enabled: true, proxy: {from: [{podSelector: {matchLabels: {a: b}}}]}}",
            "ingress": "ingress: {host: a.example.org}",
            "httpRoute": "httpRoute: {parentRefs: [{name: a}]}",
            "nodeAgent": "nodeAgent: {serverAddresses: ['https://a'], tokens: {existingSecret: a}}",
            "cnpg": "database: {existingSecret: ''}",
        }
        defaults = yaml.safe_load((rendering.CHART / "values.yaml").read_text())

        def switches(tree, path=()):
            for key, value in tree.items():
                if key == "enabled":
                    yield path, value
                elif isinstance(value, dict):
                    yield from switches(value, (*path, key))

        for path, value in switches(defaults):
            with self.subTest(switch=".".join(path)):
                tree = {"enabled": not value}
                for key in reversed(path):
                    tree = {key: tree}
                extra = [needs[path[0]]] if path[0] in needs else []
                before = rendering.text(overrides=extra) if path[0] != "cnpg" else ""
                self.assertNotEqual(before, rendering.text(overrides=[*extra, tree]))
