"""The chart's values.schema.json: values.yaml gives the shape, this file what a value may be, src/config the settings."""

import json
import pathlib

import yaml

import settings

CHART = pathlib.Path(__file__).resolve().parents[1]
LINE = r"^[^\x00-\x1f\x7f]*$"
# One line that survives the configuration file: no control character, no blank before a #, none at either end.
SETTING_TEXT = r"^[^\x00-\x20\x7f#][#]*( *[^\x00-\x20\x7f#][#]*)*$"
# What stands in quotes in a connection string, or between commas.
DSN_PART = r"^[A-Za-z0-9_.,:/%@+-]*$"
KEY = r"^[A-Za-z0-9._-]+$"
NAME = r"^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?)?$"
CIDR = r"^[0-9a-fA-F.:]+/[0-9]+$"
PORT = {"type": "integer", "minimum": 1, "maximum": 65535}
COUNT = {"type": "integer", "minimum": 1, "maximum": 1000}
STRINGS = {"type": "object", "additionalProperties": {"type": "string"}}
OPEN = {"type": "object"}
LIST = {"type": "array", "items": {"type": "object"}}


def text(pattern=LINE, **more):
    return {"type": "string", "pattern": pattern, **more}


# By dotted path; the last rule that ends a path wins over what its default says.
RULES = {
    "commonLabels": STRINGS, "annotations": STRINGS, "additionalLabels": STRINGS, "podAnnotations": STRINGS,
    "podLabels": STRINGS, "nodeSelector": STRINGS, "dashboards.labels": STRINGS,
    "cnpg.parameters": STRINGS, "cnpg.backup": OPEN, "affinity": OPEN, "resources": OPEN,
    "image.pullSecrets": LIST, "image.pullPolicy": {"enum": ["Always", "IfNotPresent", "Never"]},
    "image.tag": {"type": "string", "pattern": r"^([A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?$", "not": {"const": "latest"}},
    "image.digest": text(r"^(sha256:[0-9a-f]{64})?$"),
    "image.repository": text(r"^[a-z0-9][a-z0-9._/-]*$"),
    "existingSecret": text(NAME), "configMap": text(NAME), "tlsSecret": text(NAME),
    "database.host": text(DSN_PART), "database.name": text(DSN_PART), "database.user": text(DSN_PART),
    "read.host": text(DSN_PART), "read.user": text(DSN_PART), "migrate.host": text(DSN_PART),
    "migrate.user": text(DSN_PART),
    "database.port": {"anyOf": [PORT, {"const": ""}]}, "database.read.port": {"anyOf": [PORT, {"const": ""}]},
    "migrate.port": {"anyOf": [PORT, {"const": ""}]},
    "database.sslmode": {"enum": ["disable", "prefer", "require", "verify-ca", "verify-full"]},
    "keys.host": text(KEY), "keys.port": text(KEY), "keys.name": text(KEY), "keys.user": text(KEY),
    "keys.password": text(KEY), "keys.uri": text(r"^[A-Za-z0-9._-]*$"),
    "ca.key": text(KEY), "token.key": text(KEY), "openid.key": text(KEY), "metadata.key": text(KEY),
    "tokens.adminKey": text(KEY), "tokens.userKey": text(KEY),
    "cnpg.instances": {"type": "integer", "minimum": 1, "maximum": 9},
    "migrations.mode": {"enum": ["start", "job", "none"]},
    "migrations.deadlineSeconds": {"type": "integer", "minimum": 10, "maximum": 86400},
    "podDisruptionBudget.maxUnavailable": COUNT, "replicaCount": COUNT, "minReplicas": COUNT, "maxReplicas": COUNT,
    "targetCPUUtilizationPercentage": {"type": "integer", "minimum": 1, "maximum": 1000},
    "service.port": PORT, "proxy.port": PORT, "networkPolicy.database.port": PORT,
    "service.type": {"enum": ["ClusterIP", "NodePort", "LoadBalancer"]},
    "loadBalancerSourceRanges": {"type": "array", "items": text(CIDR)}, "trustedNetworks": {"type": "array", "items": text(CIDR)},
    "proxy.secret.key": text(KEY),
    "ingress.host": text(r"^([A-Za-z0-9*]([A-Za-z0-9.*-]*[A-Za-z0-9])?)?$"),
    "httpRoute.hostnames": {"type": "array", "items": text(r"^[a-z0-9*]([a-z0-9.-]*[a-z0-9])?$")},
    "httpRoute.parentRefs": LIST, "from": LIST, "to": LIST, "extraEgress": LIST,
    "token.value": {"anyOf": [{"const": ""}, text(r"^[\x21-\x7e]+$", minLength=32)]},
    "topologySpreadConstraints": LIST, "tolerations": LIST, "extraEnv": LIST, "extraVolumes": LIST,
    "extraVolumeMounts": LIST,
    "preStopSeconds": {"type": "integer", "minimum": 0, "maximum": 300},
    "runAsUser": {"type": "integer", "minimum": 1, "maximum": 2147483647},
    "interval": text(r"^[0-9]+(ms|s|m|h)$"),
    "runbookUrl": text(r"^https?://[^\s]+[^/\s]$"),
    "excludeRules": {"type": "array", "items": text(r"^[A-Za-z0-9]+$")},
    "prometheusRule.overrides": {"type": "object", "additionalProperties": {
        "type": "object", "additionalProperties": False, "properties": {
            "expr": {"type": "string", "minLength": 1}, "for": text(r"^[0-9]+(s|m|h|d)$"),
            "labels": STRINGS, "annotations": STRINGS}}},
    "nodeAgent.serverAddresses": {"type": "array", "maxItems": 8, "items": text(r"^(https?://[^\s,]+|unix:/[^\s,]+)$")},
    "nodeAgent.config": {"type": "object", "propertyNames": {"pattern": "^[a-z][a-z-]*$"}, "additionalProperties": {
        "anyOf": [{"type": "integer"}, text(SETTING_TEXT)]}},
    "metadata.value": {"type": "string"}, "bootstrap.value": {"type": "string", "maxLength": 1000000},
    "bootstrap.key": text(KEY),
    "extraObjects": {"type": "array", "items": {"type": ["object", "string"]}},
}


def of_setting(row):
    bounds = dict(zip(("minimum", "maximum"), row["bounds"])) if row["bounds"] else {}
    shape = {
        "switch": {"enum": [0, 1, True, False]},
        "number": {"type": "integer", **bounds},
        "seconds": {"type": "number", **bounds},
        "text": text(SETTING_TEXT, minLength=1),
        "path": text(SETTING_TEXT, minLength=1),
        "address": text(SETTING_TEXT, minLength=1),
        "url": text(r"^https?://[^\s?#@]*[^/\s?#@]$"),
        "list": {"anyOf": [text(SETTING_TEXT), {"type": "array", "items": text(r"^[^\x00-\x20\x7f,#]+$")}]},
        "choice": {"enum": row["choice"]},
    }[row["kind"]]
    default = f" Default: {row['default']}" if row["default"] else ""
    return {"description": row["doc"] + default, **shape}


def rule(path):
    candidates = [key for key in RULES if path == key or path.endswith("." + key)]
    return RULES[max(candidates, key=len)] if candidates else None


def of_value(path, value):
    found = rule(path)
    if found is not None:
        return found
    if isinstance(value, dict):
        properties = {key: of_value(f"{path}.{key}" if path else key, child) for key, child in value.items()}
        return {"type": "object", "additionalProperties": False, "properties": properties}
    if isinstance(value, bool):
        return {"type": "boolean"}
    if isinstance(value, str):
        return text()
    raise SystemExit(f"{path}: say in {__file__} what it may be")


def schema():
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    whole = of_value("", values | {"config": {}})
    whole["properties"]["config"] = {
        "type": "object", "additionalProperties": False,
        "properties": {row["name"]: of_setting(row) for row in settings.for_config()},
    }
    # What Helm itself puts beside a chart's values.
    whole["properties"]["global"] = {"type": "object"}
    return {"$schema": "http://json-schema.org/draft-07/schema#", "title": "Values of the chart rollcall", **whole}


def rendered():
    return json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"
