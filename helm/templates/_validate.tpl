{{/* Values that contradict each other: the install fails with the path and the reason. */}}

{{- define "rollcall.validate" -}}
{{- $values := .Values -}}
{{- $apis := .Capabilities.APIVersions -}}

{{- if not (include "rollcall.publicUrl" .) -}}
{{- fail "config.public-url: required, because it is the only source of the addresses that clients are given (or set ingress.host)" -}}
{{- end -}}

{{- if and $values.cnpg.enabled $values.database.existingSecret -}}
{{- fail "database.existingSecret: excludes cnpg.enabled, whose operator makes the Secret" -}}
{{- end -}}
{{- if not (or $values.cnpg.enabled $values.database.existingSecret) -}}
{{- fail "database.existingSecret: required (a Secret with host, port, dbname, username and password), or set cnpg.enabled" -}}
{{- end -}}
{{- if and $values.database.ca.existingSecret $values.database.ca.configMap -}}
{{- fail "database.ca: existingSecret and configMap exclude each other" -}}
{{- end -}}
{{- if and $values.database.read.existingSecret (not $values.database.read.keys.uri) (not (include "rollcall.standbyHost" .)) -}}
{{- fail "database.read.existingSecret: needs database.read.host, or database.read.keys.uri" -}}
{{- end -}}
{{- if and (eq $values.migrations.mode "none") $values.database.migrate.existingSecret -}}
{{- fail "database.migrate.existingSecret: nobody uses it with migrations.mode none" -}}
{{- end -}}

{{- range $path, $autoscaling := dict "autoscaling" $values.autoscaling "read.autoscaling" $values.read.autoscaling -}}
{{- if lt (int $autoscaling.maxReplicas) (int $autoscaling.minReplicas) -}}
{{- fail (printf "%s.maxReplicas: below %s.minReplicas" $path $path) -}}
{{- end -}}
{{- end -}}

{{- if and (include "rollcall.isOn" (dict "root" . "name" "auth-openid")) (not (include "rollcall.openidSecret" .)) -}}
{{- fail "openid.existingSecret: required by config.auth-openid (or openid.clientId and openid.clientSecret)" -}}
{{- end -}}
{{- if and (include "rollcall.openidSecret" .) (not (include "rollcall.isOn" (dict "root" . "name" "auth-openid"))) -}}
{{- fail "openid: set, but config.auth-openid is not 1" -}}
{{- end -}}
{{- if ne (empty $values.openid.clientId) (empty $values.openid.clientSecret) -}}
{{- fail "openid.clientId and openid.clientSecret: one needs the other" -}}
{{- end -}}
{{- if and $values.openid.existingSecret $values.openid.clientSecret -}}
{{- fail "openid.existingSecret: excludes openid.clientSecret" -}}
{{- end -}}
{{- $metadataUrl := index $values.config "auth-saml-metadata-url" -}}
{{- if and (include "rollcall.isOn" (dict "root" . "name" "auth-saml")) (not $metadataUrl) (not (include "rollcall.metadataConfigMap" .)) -}}
{{- fail "saml.metadata: config.auth-saml needs saml.metadata.value, saml.metadata.configMap or config.auth-saml-metadata-url" -}}
{{- end -}}
{{- if and $metadataUrl (include "rollcall.metadataConfigMap" .) -}}
{{- fail "saml.metadata: excludes config.auth-saml-metadata-url" -}}
{{- end -}}
{{- if and $values.saml.metadata.value $values.saml.metadata.configMap -}}
{{- fail "saml.metadata: value and configMap exclude each other" -}}
{{- end -}}
{{- if and $values.scim.token.value $values.scim.token.existingSecret -}}
{{- fail "scim.token: value and existingSecret exclude each other" -}}
{{- end -}}

{{- if $values.proxy.enabled -}}
{{- if not (and $values.networkPolicy.enabled $values.networkPolicy.proxy.from) -}}
{{- fail "proxy.enabled: needs networkPolicy.enabled and networkPolicy.proxy.from, because whoever reaches that listener signs in as anybody" -}}
{{- end -}}
{{- if not $values.proxy.trustedNetworks -}}
{{- fail "proxy.trustedNetworks: required by proxy.enabled: the networks the signing-in proxy connects from" -}}
{{- end -}}
{{- range $values.proxy.trustedNetworks -}}
{{- if hasSuffix "/0" . -}}
{{- fail "proxy.trustedNetworks: the whole internet is no signing-in proxy" -}}
{{- end -}}
{{- end -}}
{{- range $values.networkPolicy.proxy.from -}}
{{- if not . -}}
{{- fail "networkPolicy.proxy.from: an empty peer is everybody" -}}
{{- end -}}
{{- if has (dig "ipBlock" "cidr" "" .) (list "0.0.0.0/0" "::/0") -}}
{{- fail "networkPolicy.proxy.from: the whole internet is no signing-in proxy" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- if and $values.bootstrap.value $values.bootstrap.configMap -}}
{{- fail "bootstrap.configMap: excludes bootstrap.value" -}}
{{- end -}}
{{- if contains "token-in-clear" $values.bootstrap.value -}}
{{- fail "bootstrap.value: a ConfigMap is no place for a token in clear; give id and sha256 instead" -}}
{{- end -}}

{{- if and $values.ingress.enabled (not $values.ingress.host) -}}
{{- fail "ingress.host: required by ingress.enabled" -}}
{{- end -}}
{{- if and $values.httpRoute.enabled (not $values.httpRoute.parentRefs) -}}
{{- fail "httpRoute.parentRefs: required by httpRoute.enabled" -}}
{{- end -}}
{{- if and (eq $values.read.service.type "LoadBalancer") (not $values.read.service.loadBalancerSourceRanges) -}}
{{- fail "read.service.loadBalancerSourceRanges: required by type LoadBalancer; nothing is open to every network by default" -}}
{{- end -}}

{{- if and $values.serviceMonitor.enabled $values.podMonitor.enabled -}}
{{- fail "podMonitor.enabled: excludes serviceMonitor.enabled, or everything is scraped twice" -}}
{{- end -}}

{{- if $values.nodeAgent.enabled -}}
{{- if not $values.nodeAgent.serverAddresses -}}
{{- fail "nodeAgent.serverAddresses: required by nodeAgent.enabled" -}}
{{- end -}}
{{- if not $values.nodeAgent.tokens.existingSecret -}}
{{- fail "nodeAgent.tokens.existingSecret: required by nodeAgent.enabled (rollcall token generate --scope nss-admin, --scope nss-user)" -}}
{{- end -}}
{{- end -}}

{{- $needed := dict -}}
{{- if $values.cnpg.enabled -}}{{- $_ := set $needed "postgresql.cnpg.io/v1" "cnpg.enabled" -}}{{- end -}}
{{- if $values.httpRoute.enabled -}}{{- $_ := set $needed "gateway.networking.k8s.io/v1" "httpRoute.enabled" -}}{{- end -}}
{{- range $path := list "serviceMonitor" "podMonitor" "prometheusRule" -}}
{{- if index $values $path "enabled" -}}{{- $_ := set $needed "monitoring.coreos.com/v1" (printf "%s.enabled" $path) -}}{{- end -}}
{{- end -}}
{{- range $api, $path := $needed -}}
{{- if not ($apis.Has $api) -}}
{{- fail (printf "%s: this cluster does not offer %s; install its operator first (helm template: --api-versions %s)" $path $api $api) -}}
{{- end -}}
{{- end -}}
{{- end -}}
