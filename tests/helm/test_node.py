"""The scripts that bring the module to hosts and pods, run against folders that look like them."""

import os
import pathlib
import platform
import subprocess
import tempfile
import unittest

import rendering
import yaml

SCRIPTS = rendering.CHART / "files" / "node"
TRIPLET = f"{platform.machine()}-linux-gnu"
DEBIAN = """passwd:         files systemd
group:          files systemd
shadow:         files
hosts:          files dns
"""


class OnHost(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.host, given = self.root / "host", self.root / "given"
        for path in (self.host / "etc", given):
            path.mkdir(parents=True)
        (self.root / "modules").mkdir()
        (self.root / "modules" / "libnss_pwb.so.2").write_bytes(b"module")
        (self.root / "modules" / "libnss_pwb_full.so").write_bytes(b"full")
        (self.root / "modules" / "libnss_pwb_direct.so").write_bytes(b"direct")
        (given / "admin-token").write_text("admin\n")
        (given / "user-token").write_text("user\n")
        (given / "workbench-nss.conf").write_text("server-address=https://a\n")
        self.nsswitch = self.host / "etc" / "nsswitch.conf"
        self.nsswitch.write_text(DEBIAN)
        self.libraries = self.host / "usr" / "lib" / TRIPLET
        self.libraries.mkdir(parents=True)

    def install(self, **environment):
        return subprocess.run(["/bin/sh", SCRIPTS / "install-on-host"], capture_output=True, text=True, check=False, env={
            "PATH": os.environ["PATH"], "HOST": str(self.host), "FROM": str(self.root / "given"),
            "MODULES": str(self.root / "modules"), **environment})

    def mode(self, name):
        return (self.host / name).stat().st_mode & 0o777

    def test_library_tokens_and_configuration_get_their_places_and_modes(self):
        done = self.install()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual((self.libraries / "libnss_pwb.so.2").read_bytes(), b"module")
        self.assertEqual((self.libraries / "rollcall" / "libnss_pwb_full.so").read_bytes(), b"full")
        self.assertEqual((self.libraries / "rollcall" / "libnss_pwb_direct.so").read_bytes(), b"direct")
        self.assertEqual(self.mode("etc/rstudio/admin-token"), 0o600)
        self.assertEqual(self.mode("etc/rstudio/user-token"), 0o644)
        self.assertEqual(self.mode("etc/rstudio/workbench-nss.conf"), 0o644)
        self.assertNotIn("admin\n", done.stderr)

    def test_nsswitch_gains_the_module_at_the_end_of_three_lines(self):
        self.install()
        self.assertEqual(self.nsswitch.read_text(), DEBIAN.replace("files systemd\n", "files systemd pwb\n")
                         .replace("shadow:         files\n", "shadow:         files pwb\n"))

    def test_the_module_goes_before_sss_and_before_a_comment(self):
        self.nsswitch.write_text("passwd: files sss # local\ngroup: files\tsss\nshadow: files # x\n")
        self.install()
        self.assertEqual(self.nsswitch.read_text(), "passwd: files pwb sss # local\ngroup: files pwb\tsss\nshadow: files pwb # x\n")

    def test_a_second_run_changes_nothing(self):
        self.install()
        before = {path: path.stat().st_mtime_ns for path in self.host.rglob("*") if path.is_file()}
        done = self.install()
        self.assertEqual(done.stderr, "")
        self.assertEqual(before, {path: path.stat().st_mtime_ns for path in self.host.rglob("*") if path.is_file()})

    def test_the_link_of_another_package_is_not_replaced(self):
        link = self.libraries / "libnss_pwb.so.2"
        link.symlink_to("/usr/lib/rstudio-server/bin/libnss_pwb.so")
        done = self.install()
        self.assertEqual(done.returncode, 1)
        self.assertIn("another product", done.stderr)
        self.assertTrue(link.is_symlink())
        self.assertEqual(self.nsswitch.read_text(), DEBIAN)

    def test_authselect_keeps_its_file(self):
        (self.host / "etc" / "authselect").mkdir()
        done = self.install()
        self.assertEqual(done.returncode, 0)
        self.assertIn("authselect", done.stderr)
        self.assertEqual(self.nsswitch.read_text(), DEBIAN)

    def test_nsswitch_is_left_alone_when_told_so(self):
        self.install(EDIT_NSSWITCH="0")
        self.assertEqual(self.nsswitch.read_text(), DEBIAN)

    def test_red_hats_folder_is_used_where_there_is_no_triplet(self):
        self.libraries.rmdir()
        (self.host / "usr" / "lib64").mkdir()
        self.assertEqual(self.install().returncode, 0)
        self.assertTrue((self.host / "usr" / "lib64" / "libnss_pwb.so.2").exists())


class InPod(unittest.TestCase):
    def test_a_pod_gets_library_and_nsswitch_and_keeps_its_other_lines(self):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            (root / "libnss_pwb.so.2").write_bytes(b"module")
            (root / "target").mkdir()
            (root / "nsswitch.conf").write_text("passwd: files\nshadow: files\nhosts: files dns\n")
            subprocess.run(["/bin/sh", SCRIPTS / "install-in-pod"], check=True, env={
                "PATH": os.environ["PATH"], "TARGET": folder + "/target", "MODULES": folder,
                "NSSWITCH": folder + "/nsswitch.conf"})
            self.assertEqual((root / "target" / "libnss_pwb.so.2").read_bytes(), b"module")
            self.assertEqual((root / "target" / "nsswitch.conf").read_text(),
                             "passwd: files pwb\ngroup: files pwb\nshadow: files pwb\nhosts: files dns\n")


class Daemon(unittest.TestCase):
    def test_the_agent_reads_what_the_installer_wrote_and_writes_only_map_and_cache(self):
        daemon = rendering.named(rendering.situation(rendering.EVERYTHING), "DaemonSet", "rollcall-node")
        spec = rendering.pod_of(daemon)["spec"]
        [agent] = spec["containers"]
        writable = {mount["mountPath"] for mount in agent["volumeMounts"] if not mount.get("readOnly")}
        self.assertEqual(writable, {"/run/rollcall", "/var/cache/rollcall"})
        for field in ("hostNetwork", "hostPID", "hostIPC"):
            self.assertNotIn(field, spec)

    def test_the_example_for_workbench_mounts_the_map_read_only(self):
        values = yaml.safe_load((rendering.CHART / "ci" / "workbench" / "values.yaml").read_text())
        for pod in (values["pod"], values["launcher"]["templateValues"]["pod"]):
            volumes = {volume["name"] for volume in pod["volumes"]}
            self.assertEqual({mount["name"] for mount in pod["volumeMounts"]}, volumes)
            self.assertTrue(all(mount["readOnly"] for mount in pod["volumeMounts"]))
        self.assertEqual(values["config"]["server"]["rserver.conf"]["user-provisioning-enabled"], 0)
