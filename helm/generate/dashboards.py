"""The dashboards as Grafana JSON: a panel is a title, a description, a unit and its expressions; the rest is the same."""

import json
import pathlib

CHART = pathlib.Path(__file__).resolve().parents[1]
OF = 'job=~"$job",instance=~"$instance"'
COUNT, BUCKET = "rollcall_http_request_duration_seconds_count", "rollcall_http_request_duration_seconds_bucket"


def rate(metric, labels="", by=""):
    inner = f"rate({metric}{{{OF}{',' if labels else ''}{labels}}}[$__rate_interval])"
    return f"sum by ({by}) ({inner})" if by else f"sum({inner})"


def gauge(metric, labels="", aggregate="max", by=""):
    inner = f"{metric}{{{OF}{',' if labels else ''}{labels}}}"
    return f"{aggregate} by ({by}) ({inner})" if by else f"{aggregate}({inner})"


def share_of_errors(listener):
    of = f'listener=~"{listener}"'
    bad, every = rate(COUNT, of + ',status_class="5xx"'), rate(COUNT, of)
    return f"({bad} or vector(0)) / {every}"


def quantiles(metric, labels=""):
    return [(f"histogram_quantile({q}, {rate(metric, labels, 'le')})", f"p{str(q)[2:].ljust(2, '0')}")
            for q in (0.5, 0.9, 0.99)]


def panel(title, description, unit, *targets, kind="timeseries", width=12, thresholds=()):
    return {"title": title, "description": description, "unit": unit, "targets": targets, "kind": kind, "width": width,
            "thresholds": thresholds}


def stat(title, description, unit, expression, *thresholds):
    return panel(title, description, unit, (expression, ""), kind="stat", width=6, thresholds=thresholds)


DASHBOARDS = {
    "overview": ("Rollcall: overview", "Is the service within its objectives, and what limits it?", [
        stat("NSS reads that succeed", "Share without 5xx; the objective is 99.95 %.", "percentunit",
             f"1 - ({share_of_errors('read')})", ("red", None), ("orange", 0.999), ("green", 0.9995)),
        stat("SCIM and sign-in that succeed", "Share without 5xx; the objective is 99.9 %.", "percentunit",
             f"1 - ({share_of_errors('api|proxy')})", ("red", None), ("orange", 0.99), ("green", 0.999)),
        stat("POSIX ids left", "Share of the emptier pool; the alert is at a tenth.", "percentunit",
             f"min(rollcall_id_pool_remaining{{{OF}}} / rollcall_id_pool_size{{{OF}}})",
             ("red", None), ("orange", 0.02), ("green", 0.1)),
        stat("Next token expiry", "Time until the first token ends.", "s",
             f"{gauge('rollcall_token_expiry_timestamp_seconds', '', 'min')} - time()",
             ("red", None), ("orange", 172800), ("green", 1209600)),
        panel("Requests by listener", "Requests answered per second.", "reqps",
              (rate(COUNT, "", "listener"), "{{listener}}")),
        panel("Errors by listener", "Share of answers with a 5xx status.", "percentunit",
              (share_of_errors("read"), "read"), (share_of_errors("api|proxy"), "api and proxy")),
        panel("NSS read latency", "Time to the head of the answer, measured in the service.", "s",
              *quantiles(BUCKET, 'listener="read"')),
        panel("API latency", "Time to the head of the answer, measured in the service.", "s",
              *quantiles(BUCKET, 'listener=~"api|proxy"')),
        panel("Requests in flight", "Requests being worked on.", "short",
              (gauge("rollcall_http_requests_in_flight", "", "sum", "listener"), "{{listener}}")),
        panel("Versions", "Replicas by the version they run.", "short",
              (gauge("rollcall_build_info", "", "sum", "version"), "{{version}}"))]),
    "scim": ("Rollcall: SCIM", "What identity providers push, and what is refused.", [
        panel("Operations", "SCIM operations per second.", "ops",
              (rate("rollcall_scim_operations_total", "", "resource, op"), "{{resource}} {{op}}")),
        panel("Operations that did not succeed", "Refused by a rule, or failed for reasons of ours.", "ops",
              (rate("rollcall_scim_operations_total", 'outcome!="ok"', "op, outcome") + " > 0", "{{op}} {{outcome}}")),
        panel("Refusals by scimType", "Error answers of SCIM by their keyword.", "ops",
              (rate("rollcall_scim_errors_total", "", "scim_type"), "{{scim_type}}")),
        panel("Deletions and deactivations", "In the last hour; a slip in a provider's filter shows here.", "short",
              (f'sum by (resource) (increase(rollcall_scim_operations_total{{{OF},op="delete",outcome="ok"}}[1h]))',
               "{{resource}} deleted"),
              (f"sum(increase(rollcall_user_deactivations_total{{{OF}}}[1h]))", "User deactivated")),
        panel("Latency by route", "99th percentile of the SCIM routes.", "s",
              ("histogram_quantile(0.99, " + rate(BUCKET, 'listener="api",route=~"/scim.*"', "le, route") + ")",
               "{{route}}")),
        panel("Ids given", "POSIX numbers given, refused, or wanted from an empty pool.", "ops",
              (rate("rollcall_id_allocations_total", "", "kind, outcome"), "{{kind}} {{outcome}}")),
        panel("Ids left", "Numbers left in each pool.", "short",
              (gauge("rollcall_id_pool_remaining", "", "min", "pool"), "{{pool}}")),
        panel("Slowed down", "Requests answered 429 because their token sent too many, and 503 because all together did.", "reqps",
              (rate("rollcall_rate_limited_total", "", "listener"), "{{listener}}"),
              (rate("rollcall_shed_total", "", "work"), "too many of kind {{work}}"))]),
    "sign-in": ("Rollcall: sign-in", "Who gets in by which way, and why others do not.", [
        panel("Sign-ins", "Sign-ins per second by method and outcome.", "ops",
              (rate("rollcall_jit_logins_total", "", "method, outcome") + " > 0", "{{method}} {{outcome}}")),
        panel("Refusals", "Sign-ins refused, by reason.", "ops",
              (rate("rollcall_jit_logins_total", 'outcome="refused"', "reason") + " > 0", "{{reason}}")),
        panel("Forward authentication", "Answers of /auth/verify per second.", "ops",
              (rate("rollcall_forward_auth_requests_total", "", "outcome"), "{{outcome}}")),
        panel("Changes by sign-in", "What sign-ins changed of users, groups and memberships.", "ops",
              (rate("rollcall_reconcile_changes_total", "", "action"), "{{action}}")),
        panel("Claims without groups", "Sign-ins whose provider did not list the groups because there were too many.",
              "ops", (rate("rollcall_login_groups_overage_total", "", "method"), "{{method}}")),
        panel("Latency", "Time to answer of the sign-in routes.", "s",
              *quantiles(BUCKET, 'listener=~"api|proxy",route!~"/scim.*|/nss.*"')),
        panel("Provider certificates", "Time until each certificate of an identity provider ends.", "s",
              (f"{gauge('rollcall_idp_certificate_expiry_timestamp_seconds', '', 'min', 'fingerprint')} - time()",
               "{{fingerprint}}"))]),
    "nss": ("Rollcall: NSS", "What nodes ask, how fast they are answered, and from where.", [
        panel("Reads by route", "Questions of nodes per second.", "reqps",
              (rate(COUNT, 'listener="read"', "route"), "{{route}}")),
        panel("Reads by status", "Answers by status; 4xx contains \"not found\".", "reqps",
              (rate(COUNT, 'listener="read"', "status_class"), "{{status_class}}")),
        panel("Latency", "Time to the head of the answer, measured in the service.", "s",
              *quantiles(BUCKET, 'listener="read"')),
        panel("Answered within 25 ms", "Share of reads answered within 25 ms; the objective is 99 %.", "percentunit",
              (rate(BUCKET, 'listener="read",le="0.025"') + " / " + rate(COUNT, 'listener="read"'), "share")),
        panel("Answers from memory", "Reads that found no database: repeated from memory (stale), or refused (miss).",
              "reqps", (rate("rollcall_cache_requests_total", 'cache="nss"', "result"), "{{result}}")),
        panel("Standby's lag", "Seconds by which the server behind the read pool trails.", "s",
              (gauge("rollcall_db_replica_lag_seconds", "", "max", "instance"), "{{instance}}")),
        panel("Read from a standby", "1 where reads come from a standby, 0 where from the primary.", "short",
              (gauge("rollcall_db_in_recovery", "", "max", "instance"), "{{instance}}")),
        panel("Requests in flight", "Reads being worked on.", "short",
              (gauge("rollcall_http_requests_in_flight", 'listener="read"', "sum", "instance"), "{{instance}}"))]),
    "database": ("Rollcall: database", "How the service sees PostgreSQL.", [
        panel("Latency by operation", "99th percentile of the calls of the SQL contract.", "s",
              (f"histogram_quantile(0.99, {rate('rollcall_db_query_duration_seconds_bucket', '', 'le, op')})", "{{op}}")),
        panel("Calls by operation", "Calls of the SQL contract per second.", "ops",
              (rate("rollcall_db_query_duration_seconds_count", "", "op"), "{{op}}")),
        panel("Errors by class of SQLSTATE", "08 connection, 23 constraint, 25 read-only, 40 conflict, 53 resources, "
              "57 shutdown, ID a rule of ours.", "ops",
              (rate("rollcall_db_errors_total", "", "sqlstate_class"), "{{sqlstate_class}}")),
        panel("Connections", "Open connections of all replicas by pool and state.", "short",
              (gauge("rollcall_db_pool_connections", "", "sum", "pool, state"), "{{pool}} {{state}}")),
        panel("Use of the pools", "Used connections by their most.", "percentunit",
              (gauge("rollcall_db_pool_connections", 'state="used"', "sum", "pool") + " / "
               + gauge("rollcall_db_pool_connections_max", "", "sum", "pool"), "{{pool}}")),
        panel("Waiting for a connection", "Callers in the queue of each pool.", "short",
              (gauge("rollcall_db_pool_waiters", "", "sum", "pool"), "{{pool}}")),
        panel("Time waited for a connection", "Seconds from asking to having one.", "s",
              *quantiles("rollcall_db_pool_wait_seconds_bucket")),
        panel("Schema", "Newest migration each replica has seen.", "short",
              (gauge("rollcall_schema_version", "", "max", "instance"), "{{instance}}"))]),
}


def variable(name, query, label, many):
    return {"name": name, "label": label, "type": "query", "query": query, "refresh": 2, "sort": 1, "hide": 0,
            "datasource": {"type": "prometheus", "uid": "$datasource"}, "includeAll": many, "multi": many,
            "allValue": ".*" if many else None, "current": {}}


def grafana_panel(number, spec, x, y):
    steps = [{"color": color, "value": value} for color, value in spec["thresholds"] or [("green", None)]]
    timeseries = spec["kind"] == "timeseries"
    return {
        "id": number, "type": spec["kind"], "title": spec["title"], "description": spec["description"],
        "gridPos": {"x": x, "y": y, "w": spec["width"], "h": 8 if timeseries else 5},
        "datasource": {"type": "prometheus", "uid": "$datasource"},
        "targets": [{"refId": chr(65 + index), "expr": expression, "legendFormat": legend or "__auto",
                     "datasource": {"type": "prometheus", "uid": "$datasource"}}
                    for index, (expression, legend) in enumerate(spec["targets"])],
        "fieldConfig": {"overrides": [], "defaults": {
            "unit": spec["unit"], "thresholds": {"mode": "absolute", "steps": steps},
            **({"min": 0, "custom": {"fillOpacity": 10, "lineWidth": 1, "showPoints": "never"}} if timeseries else {})}},
        "options": ({"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi", "sort": "desc"}}
                    if timeseries else {"colorMode": "value", "reduceOptions": {"calcs": ["lastNotNull"]}}),
    }


def dashboard(name):
    title, description, specs = DASHBOARDS[name]
    panels, x, y, height = [], 0, 0, 0
    for number, spec in enumerate(specs, 1):
        if x + spec["width"] > 24:
            x, y = 0, y + height
        made = grafana_panel(number, spec, x, y)
        panels.append(made)
        x, height = x + spec["width"], made["gridPos"]["h"]
    return {
        "uid": f"rollcall-{name}", "title": title, "description": description, "tags": ["rollcall"], "editable": False,
        "schemaVersion": 39, "version": 1, "timezone": "browser", "refresh": "30s", "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": [
            {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "current": {},
             "hide": 0},
            variable("job", "label_values(rollcall_build_info, job)", "Release", False),
            variable("instance", 'label_values(rollcall_build_info{job=~"$job"}, instance)', "Replica", True)]},
        "annotations": {"list": []}, "links": [
            {"type": "dashboards", "title": "Rollcall", "tags": ["rollcall"], "asDropdown": False, "includeVars": True,
             "keepTime": True}],
        "panels": panels,
    }


def rendered():
    """File name and text of each dashboard."""
    return {f"{name}.json": json.dumps(dashboard(name), indent=1, ensure_ascii=False) + "\n" for name in DASHBOARDS}
