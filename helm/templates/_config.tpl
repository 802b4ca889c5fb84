{{/* The configuration file: what stands under `config`, and what other values mean for the service. */}}

{{/* A value as text. Helm makes every number a float, and prints large ones with an exponent. */}}
{{- define "rollcall.scalar" -}}
{{- if kindIs "bool" . -}}
{{- ternary "1" "0" . -}}
{{- else if kindIs "slice" . -}}
{{- join "," . -}}
{{- else if kindIs "float64" . -}}
{{- if eq (floor .) . -}}{{- int64 . -}}{{- else -}}{{- . -}}{{- end -}}
{{- else -}}
{{- . -}}
{{- end -}}
{{- end -}}

{{/* 1 when a switch under `config` is on, else nothing. */}}
{{- define "rollcall.isOn" -}}
{{- $value := index .root.Values.config .name -}}
{{- if and (not (kindIs "invalid" $value)) (eq (include "rollcall.scalar" $value) "1") -}}1{{- end -}}
{{- end -}}

{{- define "rollcall.publicUrl" -}}
{{- $given := index .Values.config "public-url" -}}
{{- if $given -}}
{{- $given -}}
{{- else if and .Values.ingress.enabled .Values.ingress.host -}}
{{- printf "%s://%s" (ternary "https" "http" (ne .Values.ingress.tlsSecret "")) .Values.ingress.host -}}
{{- else if and .Values.httpRoute.enabled .Values.httpRoute.hostnames -}}
{{- printf "https://%s" (first .Values.httpRoute.hostnames) -}}
{{- end -}}
{{- end -}}

{{- define "rollcall.config" -}}
{{- $settings := omit .Values.config "public-url" -}}
public-url={{ include "rollcall.publicUrl" . }}
listen=0.0.0.0:8080
read-listen=0.0.0.0:8081
ops-listen=0.0.0.0:9090
{{- if .Values.proxy.enabled }}
auth-proxy=1
proxy-listen=0.0.0.0:8082
auth-proxy-trusted-networks={{ join "," .Values.proxy.trustedNetworks }}
{{- if .Values.proxy.secret.existingSecret }}
auth-proxy-secret-file=/run/secrets/rollcall/proxy-secret
{{- end }}
{{- end }}
{{- range $listener, $secret := dict "" .Values.tls.existingSecret "read-" .Values.read.tls.existingSecret "proxy-" .Values.proxy.tls.existingSecret }}
{{- if and $secret (or (ne $listener "proxy-") $.Values.proxy.enabled) }}
{{ $listener }}tls-cert-file=/run/secrets/rollcall/{{ $listener }}tls/tls.crt
{{ $listener }}tls-key-file=/run/secrets/rollcall/{{ $listener }}tls/tls.key
{{- end }}
{{- end }}
{{- if or .Values.cnpg.enabled .Values.database.ca.existingSecret .Values.database.ca.configMap }}
database-ca-file=/run/secrets/rollcall/database/ca.crt
{{- end }}
{{- if include "rollcall.scimTokenSecret" . }}
scim-token-file=/run/secrets/rollcall/scim-token
{{- end }}
{{- if include "rollcall.openidSecret" . }}
auth-openid-client-file=/run/secrets/rollcall/openid-client-secret
{{- end }}
{{- if include "rollcall.bootstrapConfigMap" . }}
bootstrap-file=/run/secrets/rollcall/bootstrap.toml
{{- end }}
{{- if include "rollcall.metadataConfigMap" . }}
auth-saml-metadata-path=/run/secrets/rollcall/idp-metadata.xml
{{- end }}
{{- range $name := keys $settings | sortAlpha }}
{{- $value := index $settings $name }}
{{- if not (kindIs "invalid" $value) }}
{{ $name }}={{ include "rollcall.scalar" $value }}
{{- end }}
{{- end }}
{{- end -}}
