"""What the checks of images and alerts start on this machine: PostgreSQL, a replica of the service, Prometheus."""

import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[3]
PASSWORD = "it's; 100% \\ \"quoted\""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(condition, seconds, what):
    """Waits for a condition with a deadline; returns what it gave."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.1)
    raise AssertionError(f"not within {seconds} s: {what}")


def status_of(url):
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def postgres_binaries():
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    assert found, "PostgreSQL's server binaries are missing"
    return found[-1]


class Postgres:
    """One server in a folder of its own, run by the user postgres."""

    def __init__(self, folder):
        self.folder, self.port, self.bin = folder / f"pg{free_port()}", free_port(), postgres_binaries()
        secret = folder / "password"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        self.run("initdb", "-D", self.folder, "-U", "rollcall", "-A", "scram-sha-256", f"--pwfile={secret}", "-N")
        with open(self.folder / "postgresql.auto.conf", "a", encoding="utf-8") as file:
            file.write(f"port = {self.port}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = ''\n"
                       "max_connections = 200\n")
        self.start()

    def run(self, program, *arguments):
        command = [str(self.bin / program), *map(str, arguments)]
        if os.geteuid() == 0:
            command = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", *command]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/")

    def start(self):
        self.run("pg_ctl", "-D", self.folder, "-w", "-l", self.folder / "log", "start")

    def stop(self):
        self.run("pg_ctl", "-D", self.folder, "-w", "-m", "immediate", "stop")

    def uri(self, more=""):
        return f"host=127.0.0.1 port={self.port} user=rollcall dbname=postgres {more}"


class Replica:
    """One process of the service; settings on top of the addresses that it takes by itself."""

    def __init__(self, binary, folder, settings):
        self.ports = {name: free_port() for name in ("listen", "read-listen", "ops-listen")}
        self.settings = {name: f"127.0.0.1:{port}" for name, port in self.ports.items()} | settings
        self.binary, self.log = binary, folder / f"replica-{self.ports['ops-listen']}.log"
        self.environment = {"PATH": os.environ["PATH"]} | {
            "ROLLCALL_" + name.upper().replace("-", "_"): str(value) for name, value in self.settings.items()}
        self.start()

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([self.binary, "serve"], env=self.environment, stderr=log, stdout=log)

    def url(self, listener, path=""):
        return f"http://127.0.0.1:{self.ports[listener]}{path}"

    def ready(self):
        wait_until(lambda: status_of(self.url("ops-listen", "/readyz")) == 200, 60, f"ready; see {self.log}")
        return self

    def command(self, *arguments):
        return subprocess.run([self.binary, *arguments], env=self.environment, check=True, capture_output=True,
                              text=True).stdout

    def token(self, name, scope):
        return self.command("token", "generate", name, "--scope", scope).strip()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)


def hastened(rules, times):
    """Rules whose ranges and waiting times are that many times shorter: an outage of minutes fits into seconds."""
    units = {"s": 1, "m": 60, "h": 3600, "d": 86400}

    def shorter(match):
        return f"{match[1]}{max(1, int(match[2]) * units[match[3]] // times)}s{match[4]}"

    rules = re.sub(r"(\[)(\d+)([smhd])(\])", shorter, rules)
    return re.sub(r"(for: )(\d+)([smhd])(\n)", shorter, rules)


def configuration(folder, targets, times):
    """A configuration that scrapes the targets every second by the chart's rules, `times` times as fast as they are written;
    the rules are put into `folder`."""
    rules = []
    for path in sorted((ROOT / "helm").glob("alerts/*.yaml")) + sorted((ROOT / "helm").glob("records/*.yaml")):
        rules.append(str(folder / f"rules-{path.name}"))
        pathlib.Path(rules[-1]).write_text(hastened(path.read_text(), times))
    return {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
        "rule_files": rules,
        "scrape_configs": [{"job_name": "rollcall", "static_configs": [{"targets": targets}]}]}


class Prometheus:
    """A Prometheus that scrapes nothing and answers for what another one left in `folder`."""

    def __init__(self, folder):
        self.port = free_port()
        (folder / "past.yml").write_text("{}")
        self.process = subprocess.Popen(
            ["prometheus", f"--config.file={folder / 'past.yml'}", f"--storage.tsdb.path={folder / 'tsdb'}",
             f"--web.listen-address=127.0.0.1:{self.port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda: status_of(f"http://127.0.0.1:{self.port}/-/ready") == 200, 30, "Prometheus ready")

    def get(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/v1/{path}", timeout=30) as answer:
            return json.load(answer)["data"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(30)
