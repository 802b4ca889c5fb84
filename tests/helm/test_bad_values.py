"""Misspelt or contradictory values fail the install, and the message names the path."""

import unittest

import rendering

# Values on top of ci/minimal.yaml, and what Helm's message must contain.
SCHEMA = [
    ("replicaCnt: 3", "replicaCnt"),
    ("config: {user-provisioning-start-udi: 10000}", "user-provisioning-start-udi"),
    ("config: {user-provisioning-start-uid: 500}", "user-provisioning-start-uid"),
    ("config: {user-provisioning-start-uid: many}", "user-provisioning-start-uid"),
    ("config: {user-provisioning-collision: ignore}", "user-provisioning-collision"),
    ("config: {database-uri: 'postgres://a:b@c/d'}", "database-uri"),
    ("config: {listen: '0.0.0.0:80'}", "listen"),
    ("config: {data-dir: /data}", "data-dir"),
    ('config: {log-level: "info\\nscim-token-file=/etc/passwd"}', "log-level"),
    ('config: {user-homedir-path: "/home #not"}', "user-homedir-path"),
    ("config: {public-url: ftp://rollcall.example.org}", "public-url"),
    ("config: {public-url: 'https://rollcall.example.org/'}", "public-url"),
    ("image: {tag: latest}", "tag"),
    ("image: {digest: sha256:short}", "digest"),
    ("scim: {token: {value: ''}, tokn: a}", "tokn"),
    ("scim: {token: {value: tooshort}}", "value"),
    ("database: {host: \"a' password='b\"}", "host"),
    ("database: {user: '$(HOME)'}", "user"),
    ("database: {sslmode: verify-ful}", "sslmode"),
    ("database: {port: 0}", "port"),
    ("runAsUser: 0", "runAsUser"),
    ("replicaCount: 0", "replicaCount"),
    ("migrations: {mode: hook}", "mode"),
    ("prometheusRule: {overrides: {RollcallDown: {fro: 5m}}}", "fro"),
    ("service: {type: ExternalName}", "type"),
    ("nodeAgent: {serverAddresses: ['nss.example.org']}", "serverAddresses"),
]
CONTRADICTIONS = [
    ("database: {existingSecret: ''}", "database.existingSecret"),
    ("cnpg: {enabled: true}", "database.existingSecret"),
    ("database: {ca: {existingSecret: a, configMap: b}}", "database.ca"),
    ("database: {read: {existingSecret: a}}", "database.read.existingSecret"),
    ("{migrations: {mode: none}, database: {migrate: {existingSecret: a}}}", "database.migrate.existingSecret"),
    ("read: {autoscaling: {minReplicas: 9, maxReplicas: 3}}", "read.autoscaling.maxReplicas"),
    ("config: {auth-openid: 1, auth-openid-issuer: 'https://a'}", "openid.existingSecret"),
    ("openid: {existingSecret: a}", "config.auth-openid"),
    ("{config: {auth-openid: true}, openid: {clientId: a}}", "openid.existingSecret"),
    ("{config: {auth-openid: true}, openid: {clientSecret: a}}", "openid.clientId"),
    ("config: {auth-saml: 1}", "saml.metadata"),
    ("{config: {auth-saml: 1, auth-saml-metadata-url: 'https://a'}, saml: {metadata: {configMap: b}}}", "saml.metadata"),
    ("scim: {token: {existingSecret: a, value: 0123456789012345678901234567890123456789}}", "value"),
    ("proxy: {enabled: true}", "networkPolicy.proxy.from"),
    ("{proxy: {enabled: true}, networkPolicy: {enabled: true}}", "networkPolicy.proxy.from"),
    ("{proxy: {enabled: true, trustedNetworks: [10.0.0.0/8]}, networkPolicy: {enabled: true, proxy: {from: [{}]}}}",
     "networkPolicy.proxy.from"),
    ("{proxy: {enabled: true, trustedNetworks: [10.0.0.0/8]}, networkPolicy: {enabled: true, proxy: {from: [{ipBlock: {cidr: 0.0.0.0/0}}]}}}",
     "networkPolicy.proxy.from"),
    ("{proxy: {enabled: true}, networkPolicy: {enabled: true, proxy: {from: [{podSelector: {matchLabels: {a: b}}}]}}}",
     "proxy.trustedNetworks"),
    ("{proxy: {enabled: true, trustedNetworks: [0.0.0.0/0]}, networkPolicy: {enabled: true, proxy: {from: [{podSelector: "
     "{matchLabels: {a: b}}}]}}}", "proxy.trustedNetworks"),
    ("bootstrap: {value: '[[user]]', configMap: a}", "bootstrap.configMap"),
    ("bootstrap: {value: 'token-in-clear = \"rc_a.b\"'}", "bootstrap.value"),
    ("ingress: {enabled: true}", "ingress.host"),
    ("httpRoute: {enabled: true}", "httpRoute.parentRefs"),
    ("read: {service: {type: LoadBalancer}}", "loadBalancerSourceRanges"),
    ("{serviceMonitor: {enabled: true}, podMonitor: {enabled: true}}", "podMonitor.enabled"),
    ("nodeAgent: {enabled: true}", "nodeAgent.serverAddresses"),
    ("nodeAgent: {enabled: true, serverAddresses: ['https://a']}", "nodeAgent.tokens.existingSecret"),
]
WITHOUT_OPERATOR = [
    ("{cnpg: {enabled: true}, database: {existingSecret: ''}}", "cnpg.enabled"),
    ("httpRoute: {enabled: true, parentRefs: [{name: a}]}", "httpRoute.enabled"),
    ("serviceMonitor: {enabled: true}", "serviceMonitor.enabled"),
    ("prometheusRule: {enabled: true}", "prometheusRule.enabled"),
]


class BadValues(unittest.TestCase):
    def refuses(self, values, reason, **more):
        with self.subTest(values=values):
            with self.assertRaises(rendering.Refused) as raised:
                rendering.text(overrides=[values], **more)
            self.assertIn(reason, str(raised.exception))

    def test_misspelt_and_ill_typed_values_are_refused(self):
        for values, reason in SCHEMA:
            self.refuses(values, reason)
            self.refuses(values, reason, binary=rendering.OLDEST)

    def test_contradictory_values_are_refused(self):
        for values, reason in CONTRADICTIONS:
            self.refuses(values, reason)

    def test_a_service_without_its_public_address_is_refused(self):
        with self.assertRaises(rendering.Refused) as raised:
            rendering.text(rendering.CHART / "values.yaml", ["database: {existingSecret: a}"])
        self.assertIn("config.public-url", str(raised.exception))

    def test_kinds_that_the_cluster_does_not_know_are_refused(self):
        for values, reason in WITHOUT_OPERATOR:
            self.refuses(values, reason, apis=[])

    def test_every_setting_is_either_offered_or_made_by_the_chart(self):
        import settings
        known = {row["name"] for row in settings.settings()}
        self.assertLessEqual(set(settings.MANAGED), known)
