"""What is shipped: generated files are up to date, and the package is small and holds what it must."""

import subprocess
import sys
import tarfile
import tempfile
import pathlib
import unittest

import readme
import rendering
import yaml


class Package(unittest.TestCase):
    def test_generated_files_are_up_to_date(self):
        done = subprocess.run([sys.executable, str(rendering.CHART / "generate" / "write"), "--check"],
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_every_value_is_documented(self):
        documented = {path for path, _, _ in readme.rows()}

        def leaves(tree, path=()):
            for key, value in tree.items():
                here = ".".join((*path, key))
                if here in documented:
                    continue
                if isinstance(value, dict) and value:
                    yield from leaves(value, (*path, key))
                else:
                    yield here

        values = yaml.safe_load((rendering.CHART / "values.yaml").read_text())
        self.assertEqual(list(leaves(values)), [])

    def test_the_package_is_small_and_complete(self):
        with tempfile.TemporaryDirectory() as folder:
            rendering.helm("package", rendering.CHART, "-d", folder)
            [package] = pathlib.Path(folder).iterdir()
            self.assertLess(package.stat().st_size, 300_000)
            with tarfile.open(package) as archive:
                names = {name.removeprefix("rollcall/") for name in archive.getnames()}
        for left_out in ("ci/", "runbooks/", "generate/"):
            self.assertEqual([name for name in names if name.startswith(left_out) or name.endswith(".png")], [])
        for needed in ("values.schema.json", "README.md", "alerts/RollcallDown.yaml", "dashboards/nss.json",
                       "files/node/install-on-host", "records/read.yaml"):
            self.assertIn(needed, names)

    def test_rendered_secrets_of_a_release_stay_below_the_limit_of_helm(self):
        """Helm keeps a release in a Secret of at most 1 MiB, compressed; the manifest must leave room."""
        self.assertLess(len(rendering.text(rendering.EVERYTHING)), 700_000)
