"""The table of settings, read from the `section!` tables of src/config: what schema and README of the chart rest on."""

import ast
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Settings that the chart makes from its own values, each with the value that does it.
MANAGED = {
    "role": "read.enabled",
    "listen": "service.port",
    "read-listen": "read.service.port",
    "ops-listen": "the chart (port 9090)",
    "proxy-listen": "proxy.enabled",
    "read-socket": "nothing: a unix socket does not leave its pod",
    "tls-cert-file": "tls.existingSecret",
    "tls-key-file": "tls.existingSecret",
    "read-tls-cert-file": "read.tls.existingSecret",
    "read-tls-key-file": "read.tls.existingSecret",
    "ops-tls-cert-file": "nothing: probes and scrapes are plain HTTP",
    "ops-tls-key-file": "nothing: probes and scrapes are plain HTTP",
    "proxy-tls-cert-file": "proxy.tls.existingSecret",
    "proxy-tls-key-file": "proxy.tls.existingSecret",
    "database-ca-file": "database.ca",
    "data-dir": "nothing: a private PostgreSQL serves one machine",
    "private-postgres-user": "nothing: a private PostgreSQL serves one machine",
    "auth-openid-client-file": "openid.existingSecret",
    "auth-saml-metadata-path": "saml.metadata",
    "bootstrap-file": "bootstrap",
    "scim-token-file": "scim.token",
    "auth-proxy": "proxy.enabled",
    "auth-proxy-trusted-networks": "proxy.trustedNetworks",
}


def section_texts():
    for path in sorted((ROOT / "src" / "config").rglob("*.rs")):
        text = path.read_text()
        for match in re.finditer(r'^section! \{\n(.*?)^\}\n', text, re.S | re.M):
            yield path, text, match.group(1)


def choices(text):
    """The words of each `choice!` enum of a file."""
    found = {}
    for match in re.finditer(r"choice! \{.*?enum (\w+) \{(.*?)\n    \}", text, re.S):
        found[match.group(1)] = re.findall(r'= "([^"]+)"', match.group(2))
    return found


KINDS = {
    "bool": "switch", "u32": "number", "usize": "number", "u64": "number", "Duration": "seconds", "String": "text",
    "PathBuf": "path", "SocketAddr": "address", "PublicUrl": "url", "Secret": "secret",
    "Vec<String>": "list", "Vec<PathBuf>": "list",
}


def settings():
    """Every setting: name, kind, words of a choice, default, bounds, documentation, section."""
    rows = []
    for path, text, body in section_texts():
        title = re.search(r'struct \w+, "([^"]+)"', body).group(1)
        words = choices(text)
        field = re.compile(
            r'((?:\s*/// [^\n]*\n)+)\s*\w+\s*:\s*([\w<>:]+)\s*=\s*"([^"]+)"\s*'
            r'(?:,\s*default\s+"((?:[^"\\]|\\.)*)"\s*)?(?:,\s*within\s+([\d_]+)\s*\.\.=\s*([\d_]+)\s*)?;'
        )
        found = field.findall(body)
        assert len(found) == len(re.findall(r'= "[a-z][a-z0-9-]*"', body)), f"{path}: a row of the table is not understood"
        for doc, kind, name, default, least, most in found:
            kind = re.sub(r"^Option<(.*)>$", r"\1", kind.split("::")[-1])
            kind, choice = ("choice", words[kind]) if kind in words else (KINDS[kind], None)
            rows.append({
                "name": name, "kind": kind, "choice": choice, "section": title,
                "default": ast.literal_eval(f'"{default}"') if default else "",
                "bounds": (int(least.replace("_", "")), int(most.replace("_", ""))) if least else None,
                "doc": " ".join(re.findall(r"/// (.*)", doc)),
            })
    names = [row["name"] for row in rows]
    assert len(set(names)) == len(names) and len(names) > 50, "the table of settings was not found"
    return rows


def for_config():
    """The settings that may stand under `config`: neither a secret nor made by the chart."""
    return [row for row in settings() if row["kind"] != "secret" and row["name"] not in MANAGED]


def metric_names():
    """The names of src/telemetry/names.rs."""
    text = (ROOT / "src" / "telemetry" / "names.rs").read_text()
    return set(re.findall(r'= "(rollcall_[a-z0-9_]+)"', text.replace("\n", " ")))
